import assert from 'node:assert/strict';
import { sendIdOf } from '../../../src/base/id.ts';
import { submail as dialect } from '../../../src/dialects/submail/submail.ts';
import type { Endpoint } from '../../../src/http/endpoint.ts';
import type { Call, DialectDescription, Parameter } from './description.ts';

/** Without a start only the last day is looked at. */
const sinceEver: Parameter = ['start_date', '0'];

function callOf(endpoint: Endpoint, ...parameters: Parameter[]): Call {
  return { endpoint, path: {}, parameters, headers: {} };
}

function logCall(...parameters: Parameter[]): Call {
  const endpoint = dialect.endpoints.find(({ path }) => path === '/mail/log');
  assert.ok(endpoint);
  return callOf(endpoint, sinceEver, ...parameters);
}

export const submail: DialectDescription = {
  dialect,
  settings: { 'dialects.submail.query_interval': 0 },
  call: (endpoint) => (endpoint.method === 'post' ? callOf(endpoint, sinceEver) : callOf(endpoint)),
  sign: (call, { appid = '', appkey = '' }) => {
    const sent = (name: string) => call.parameters.some(([known]) => known === name);
    const credentials = [
      ['appid', appid],
      ['signature', appkey],
    ] as const;
    return { ...call, parameters: [...call.parameters, ...credentials.filter(([name]) => !sent(name))] };
  },
  wrongCredentials: ({ credentials: { appid = '', appkey = '' } }) => [
    { appid, appkey: '' },
    { appid, appkey: appkey.slice(1) },
    { appid, appkey: appid },
    { appid: '', appkey },
    { appid: `${appid}0`, appkey },
    { appid: `0${appid}`, appkey },
  ],
  assertAnswers: ({ status, text }) => {
    assert.equal(status, 200, text);
    assert.equal(JSON.parse(text).status, 'success', text);
  },
  assertRefuses: ({ text }) => {
    const body = JSON.parse(text);
    assert.deepEqual([body.status, typeof body.code, typeof body.msg], ['error', 'string', 'string'], text);
  },
  foreignCalls: (_, other) => [
    logCall(['app', String(other.streamId)]),
    logCall(['send_id', sendIdOf(other.key, { mailId: other.mailId, n: 1 })]),
  ],
  assertForeign: ({ status, text }) => {
    assert.equal(status, 200, text);
    const body = JSON.parse(text);
    if (body.status === 'success') assert.deepEqual([body.total, body.data], [0, []]);
    else assert.equal(body.code, '119');
  },
};
