/** The questions of the laws, put to each dialect as its clients put them. */
import assert from 'node:assert/strict';
import type { DayStats, LogRow as KaleyraRow } from '../../src/dialects/kaleyra/render.ts';
import type { Log as MailbabyLog } from '../../src/dialects/mailbaby/render.ts';
import type { LogBody as SubmailLog } from '../../src/dialects/submail/render.ts';
import { basicAuth } from '../support/mailgun-world.ts';
import type { Account, LawWorld } from './law-world.ts';

export type Parameters = Readonly<Record<string, string | number>>;

/** Numbers by their path: `failed.permanent.total`. */
export type Numbers = ReadonlyMap<string, number>;

export interface KaleyraLog {
  data: KaleyraRow[];
  total: number;
}

export interface MailgunEvents {
  items: { id: string; event: string; timestamp: number }[];
  paging: { next: string; previous: string; first: string; last: string };
}

export interface Asking {
  /** Of one order: by default the first. */
  mailbaby(parameters?: Parameters): Promise<MailbabyLog>;
  /** From the beginning of time. */
  submail(parameters?: Parameters): Promise<SubmailLog>;
  /** The largest page, unless asked otherwise. */
  kaleyra(parameters?: Parameters): Promise<KaleyraLog>;
  kaleyraDays(parameters?: Parameters): Promise<DayStats[]>;
  /** Items of a reply of the statistics, all events counted. `resolution` and so on stand in the parameters. */
  mailgun(path: string, parameters?: Parameters): Promise<Numbers[]>;
  /** By path or by the link of an earlier page. */
  mailgunEvents(url: string): Promise<MailgunEvents>;
}

export const everyMailgunEvent = [
  'accepted',
  'delivered',
  'failed',
  'opened',
  'clicked',
  'unsubscribed',
  'complained',
  'stored',
]
  .map((event) => `event=${event}`)
  .join('&');

const largestKaleyraPage = 100;

export function askingOf({ app }: LawWorld, { tenant, streamIds }: Account): Asking {
  const { mailbaby, submail, kaleyra, mailgun } = tenant.credentials;
  const get = async (url: string, headers: Record<string, string>) =>
    await bodyOf(url, await app.request(url, { headers }));
  const basic = basicAuth(mailgun?.['apiKey'] ?? '');
  const key = { 'api-key': kaleyra?.['apiKey'] ?? '' };
  const kaleyraUrl = `/v1/${kaleyra?.['sid']}/email`;
  return {
    mailbaby: async (parameters = {}) => {
      const query = queryOf({ id: streamIds[0] ?? 0, limit: 10_000, ...parameters });
      return (await get(`/mail/log?${query}`, { 'x-api-key': mailbaby?.['apiKey'] ?? '' })) as MailbabyLog;
    },
    submail: async (parameters = {}) => {
      const authorization = { appid: submail?.['appid'] ?? '', signature: submail?.['appkey'] ?? '' };
      const body = queryOf({ ...authorization, start_date: 0, rows: 1000, ...parameters });
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const reply = await app.request('/mail/log', { method: 'POST', headers, body: body.toString() });
      return (await bodyOf('/mail/log', reply)) as SubmailLog;
    },
    kaleyra: async (parameters = {}) => {
      const query = queryOf({ limit: largestKaleyraPage, ...parameters });
      return (await get(`${kaleyraUrl}/logs?${query}`, key)) as KaleyraLog;
    },
    kaleyraDays: async (parameters = {}) => {
      const query = queryOf({ limit: largestKaleyraPage, ...parameters });
      return ((await get(`${kaleyraUrl}/stats?${query}`, key)) as { data: DayStats[] }).data;
    },
    mailgun: async (path, parameters = {}) => {
      const reply = await get(`${path}?${everyMailgunEvent}&${queryOf(parameters)}`, basic);
      return (reply as { stats: object[] }).stats.map((item) => new Map(numbersIn(item)));
    },
    mailgunEvents: async (url) => (await get(url, basic)) as MailgunEvents,
  };
}

function queryOf(parameters: Parameters): URLSearchParams {
  return new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, String(value)]));
}

async function bodyOf(url: string, reply: Response): Promise<unknown> {
  const text = await reply.text();
  assert.equal(reply.status, 200, `${url}: ${text}`);
  const body: unknown = JSON.parse(text);
  assert.ok(!(body instanceof Object && 'status' in body) || body.status === 'success', `${url}: ${text}`);
  return body;
}

function numbersIn(item: object, path = ''): [string, number][] {
  return Object.entries(item).flatMap(([name, value]): [string, number][] => {
    if (typeof value === 'number') return [[path + name, value]];
    return value instanceof Object ? numbersIn(value, `${path}${name}.`) : [];
  });
}

/** The numbers of several items, added up. */
export function sumOf(items: readonly Numbers[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [path, number] of items.flatMap((item) => [...item])) sums[path] = (sums[path] ?? 0) + number;
  return sums;
}

/** Every day with something to count, page by page. */
export async function everyKaleyraDay(asking: Asking, parameters: Parameters = {}): Promise<DayStats[]> {
  const days: DayStats[] = [];
  for (let page = 1; ; page += 1) {
    const found = await asking.kaleyraDays({ ...parameters, page });
    days.push(...found);
    if (found.length < largestKaleyraPage) return days;
  }
}
