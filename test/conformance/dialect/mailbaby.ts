import assert from 'node:assert/strict';
import { relayIdOf } from '../../../src/base/id.ts';
import { mailbaby as dialect } from '../../../src/dialects/mailbaby/mailbaby.ts';
import { mailLog } from '../../../src/dialects/mailbaby/routes/mail-log.ts';
import type { Call, DialectDescription, Parameter } from './description.ts';

function logCall(...parameters: Parameter[]): Call {
  return { endpoint: mailLog.endpoint, path: {}, parameters, headers: {} };
}

export const mailbaby: DialectDescription = {
  dialect,
  call: (endpoint) => ({ endpoint, path: {}, parameters: [], headers: {} }),
  sign: (call, { apiKey = '' }) => ({ ...call, headers: { ...call.headers, 'x-api-key': apiKey } }),
  wrongCredentials: ({ credentials: { apiKey = '', orderId = '' } }) => [
    { apiKey: '' },
    { apiKey: orderId },
    { apiKey: apiKey.slice(1) },
    { apiKey: `${apiKey}a` },
    { apiKey: apiKey.toUpperCase() },
    { apiKey: `Bearer ${apiKey}` },
  ],
  assertAnswers: ({ status, text }) => {
    assert.equal(status, 200, text);
    assert.equal('code' in JSON.parse(text), false);
  },
  assertRefuses: ({ status, text }) => {
    assert.ok(status >= 400, text);
    assert.deepEqual(Object.keys(JSON.parse(text)), ['code', 'message']);
    assert.equal(JSON.parse(text).code, status);
  },
  foreignCalls: (_, other) => [
    logCall(['id', String(other.streamId)]),
    logCall(['id', String(other.streamId)], ['mailid', relayIdOf(other.mailId)]),
    logCall(['mailid', relayIdOf(other.mailId)]),
    logCall(['messageId', other.sendingDomain]),
    logCall(['groupby', 'message'], ['headerfrom', `news@${other.sendingDomain}`]),
  ],
  assertForeign: ({ status, text }) => {
    assert.ok(status === 200 || status === 404, text);
    if (status === 200) assert.deepEqual([JSON.parse(text).total, JSON.parse(text).emails], [0, []]);
  },
};
