/** One dialect under examination: how its endpoints are called, and what comes back. */
import assert from 'node:assert/strict';
import type { Hono } from 'hono';
import type { Endpoint } from '../../../src/http/endpoint.ts';
import type { DialectWorld } from '../../support/dialect-world.ts';
import type { Call, DialectDescription, Reply, Subject } from './description.ts';

export interface Setting {
  world: DialectWorld;
  app: Hono;
  subject: Subject;
  other: Subject;
  /** Texts that stand in the mail of `other` and nowhere else. */
  secrets: readonly string[];
  /** Gives the other tenant more mail. */
  addMailOfOther(): Promise<void>;
}

export interface Examinee extends Setting {
  description: DialectDescription;
  endpoints: readonly Endpoint[];
  /** Those that want credentials. */
  guarded: readonly Endpoint[];
  /** Not signed. */
  callOf(endpoint: Endpoint): Call;
  /** With the subject's own credentials. */
  signed(call: Call): Call;
  ask(call: Call, method?: string): Promise<Reply>;
}

export const formType = 'application/x-www-form-urlencoded';

export function examine(description: DialectDescription, setting: Setting): Examinee {
  const { endpoints } = description.dialect;
  const { app, subject } = setting;
  return {
    ...setting,
    description,
    endpoints,
    guarded: endpoints.filter(({ security }) => security.length > 0),
    callOf: (endpoint) => description.call(endpoint, subject),
    signed: (call) => description.sign(call, subject.credentials),
    ask: (call, method) => send(app, call, method),
  };
}

export async function send(
  app: Hono,
  call: Call,
  method = call.endpoint.method.toUpperCase(),
): Promise<Reply> {
  const search = new URLSearchParams(call.parameters.map(([name, value]) => [name, value]));
  const inBody = method === 'POST';
  const query = inBody || call.parameters.length === 0 ? '' : `?${search}`;
  const body = inBody ? { body: search.toString() } : {};
  const headers = { ...call.headers, ...(inBody ? { 'content-type': formType } : {}) };
  return await replyOf(await app.request(urlOf(call) + query, { method, headers, ...body }));
}

export async function replyOf(response: Response): Promise<Reply> {
  return { status: response.status, headers: response.headers, text: await response.text() };
}

export function urlOf({ endpoint, path }: Call): string {
  return endpoint.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = path[name];
    assert.ok(value !== undefined, `the description gives no ${name} for ${endpoint.path}`);
    return encodeURIComponent(value);
  });
}
