/** The four imitated APIs, asked as their clients ask them: plain HTTP, their own credentials, their own words. */
import assert from 'node:assert/strict';
import type { TenantCredentials, Waybill } from './waybill.ts';

type Json = Record<string, unknown>;

async function json(response: Response): Promise<Json> {
  const body = await response.text();
  assert.ok(response.ok, `${response.status} ${body}`);
  return JSON.parse(body) as Json;
}

export interface MailbabyLog {
  total: number;
  emails: {
    id: string;
    recipient: string;
    delivered: number;
    code: number | null;
    response: string | null;
    _id: number;
  }[];
}

export async function mailbabyLog(
  waybill: Waybill,
  { mailbaby }: TenantCredentials,
  query: Record<string, string> = {},
): Promise<MailbabyLog> {
  const url = `${waybill.http}/mail/log?${new URLSearchParams(query)}`;
  return (await json(
    await fetch(url, { headers: { 'x-api-key': mailbaby.apiKey } }),
  )) as unknown as MailbabyLog;
}

export interface SubmailLog {
  status: string;
  total: number;
  data: { sendID: string; to_address: string; status: number; bounce: number; message: string }[];
}

export async function submailLog(
  waybill: Waybill,
  { submail }: TenantCredentials,
  body: Record<string, string> = {},
): Promise<SubmailLog> {
  const form = new URLSearchParams({ appid: submail.appid, signature: submail.appkey, ...body });
  return (await json(
    await fetch(`${waybill.http}/mail/log`, { method: 'POST', body: form }),
  )) as unknown as SubmailLog;
}

export interface KaleyraLogs {
  total: number;
  data: { message_id: string; status: string; to_mail: string; description: string }[];
}

export async function kaleyraLogs(
  waybill: Waybill,
  { kaleyra }: TenantCredentials,
  query: string = '',
): Promise<KaleyraLogs> {
  const url = `${waybill.http}/v1/${kaleyra.sid}/email/logs${query}`;
  return (await json(await fetch(url, { headers: { 'api-key': kaleyra.apiKey } }))) as unknown as KaleyraLogs;
}

export async function kaleyraStats(
  waybill: Waybill,
  { kaleyra }: TenantCredentials,
  messageId: string,
): Promise<Json> {
  const url = `${waybill.http}/v1/${kaleyra.sid}/email/stats/${messageId}`;
  return json(await fetch(url, { headers: { 'api-key': kaleyra.apiKey } }));
}

export interface MailgunStats {
  stats: {
    accepted?: { total: number; outgoing: number };
    delivered?: { total: number; smtp: number };
    failed?: { temporary: { total: number; espblock: number }; permanent: Record<string, number> };
  }[];
}

/** Totals of the last day and this hour, in one bucket each; the newest bucket is the last. */
export async function mailgunTotals(
  waybill: Waybill,
  { mailgun, domain }: TenantCredentials,
): Promise<MailgunStats['stats'][number]> {
  const url = `${waybill.http}/v3/${domain}/stats/total?event=accepted&event=delivered&event=failed&duration=1m`;
  const authorization = `Basic ${Buffer.from(`api:${mailgun.apiKey}`).toString('base64')}`;
  const { stats } = (await json(await fetch(url, { headers: { authorization } }))) as unknown as MailgunStats;
  assert.equal(stats.length, 1);
  const [bucket] = stats;
  assert.ok(bucket);
  return bucket;
}
