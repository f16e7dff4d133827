import assert from 'node:assert/strict';
import { uuidOf } from '../../../src/base/id.ts';
import { kaleyra as dialect } from '../../../src/dialects/kaleyra/kaleyra.ts';
import type { Endpoint } from '../../../src/http/endpoint.ts';
import type { Call, DialectDescription, Parameter, Subject } from './description.ts';

function callOf(endpoint: Endpoint, { credentials, mailId, key }: Subject, ...parameters: Parameter[]): Call {
  const path = { SID: credentials.sid ?? '', messageId: `${uuidOf(key, mailId)}:1` };
  return { endpoint, path, parameters, headers: {} };
}

function endpointOf(path: string): Endpoint {
  const endpoint = dialect.endpoints.find((one) => one.path === path);
  assert.ok(endpoint, path);
  return endpoint;
}

const logs = endpointOf('/v1/{SID}/email/logs');

export const kaleyra: DialectDescription = {
  dialect,
  call: (endpoint, subject) => callOf(endpoint, subject),
  sign: (call, { apiKey = '' }) => ({ ...call, headers: { ...call.headers, 'api-key': apiKey } }),
  wrongCredentials: ({ credentials: { sid = '', apiKey = '' } }) => [
    { sid, apiKey: '' },
    { sid, apiKey: sid },
    { sid, apiKey: apiKey.slice(1) },
    { sid, apiKey: `${apiKey}a` },
  ],
  assertAnswers: ({ status, text }) => {
    assert.equal(status, 200, text);
    assert.deepEqual(JSON.parse(text).error, {});
  },
  assertRefuses: ({ status, text }) => {
    assert.ok(status >= 400, text);
    const { data, error } = JSON.parse(text);
    assert.deepEqual(data, []);
    assert.equal(error.code, String(status));
  },
  foreignCalls: (subject, other) => [
    ...dialect.endpoints.map((endpoint) => callOf(endpoint, other)),
    callOf(endpointOf('/v1/{SID}/email/stats/{messageId}'), { ...other, credentials: subject.credentials }),
    callOf(logs, subject, ['messageId', uuidOf(other.key, other.mailId)]),
    callOf(logs, subject, ['search', `news@${other.sendingDomain}`]),
  ],
  assertForeign: ({ status, text }) => {
    assert.ok([200, 403, 404].includes(status), text);
    assert.deepEqual(JSON.parse(text).data, []);
  },
};
