import assert from 'node:assert/strict';
import { mailgun as dialect } from '../../../src/dialects/mailgun/mailgun.ts';
import { writeToken } from '../../../src/dialects/mailgun/page-token.ts';
import type { Call, DialectDescription, Parameter } from './description.ts';

function basic(user: string, password: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

/** The first page of all events. */
const token = writeToken({
  traversal: { direction: 'descending', limit: 10, filters: [] },
  cursor: null,
  backwards: false,
});

/** What an endpoint cannot do without. */
const wanted = new Map<string, readonly Parameter[]>([
  ['/v3/stats/total', [['event', 'accepted']]],
  [
    '/v3/stats/total/domains',
    [
      ['event', 'accepted'],
      ['timestamp', 'Thu, 01 Jan 2026 12:00:00 GMT'],
    ],
  ],
  ['/v3/stats/filter', [['event', 'accepted']]],
  ['/v3/{domain}/stats/total', [['event', 'accepted']]],
]);

export const mailgun: DialectDescription = {
  dialect,
  call: (endpoint, { sendingDomain }): Call => ({
    endpoint,
    path: { domain: sendingDomain, token },
    parameters: wanted.get(endpoint.path) ?? [],
    headers: {},
  }),
  sign: (call, { apiKey = '', user = 'api' }) => ({
    ...call,
    headers: { ...call.headers, ...basic(user, apiKey) },
  }),
  wrongCredentials: ({ credentials: { apiKey = '' } }) => [
    { apiKey: '' },
    { apiKey: 'api' },
    { apiKey: apiKey.slice(1) },
    { apiKey: `${apiKey}a` },
    { apiKey: `${apiKey}:` },
    { user: 'someone', apiKey },
    { user: '', apiKey },
  ],
  assertAnswers: ({ status, text }) => {
    assert.equal(status, 200, text);
    assert.equal(typeof JSON.parse(text), 'object');
  },
  assertRefuses: ({ status, text }) => {
    assert.ok(status >= 400, text);
    if (status === 401) assert.equal(text, 'Forbidden');
    else assert.deepEqual(Object.keys(JSON.parse(text)), ['message']);
  },
  foreignCalls: (subject, other) =>
    dialect.endpoints
      .filter(({ path }) => path.includes('{domain}'))
      .map((endpoint) => mailgun.call(endpoint, { ...subject, sendingDomain: other.sendingDomain })),
  assertForeign: ({ status, text }) => {
    assert.equal(status, 404, text);
    assert.deepEqual(Object.keys(JSON.parse(text)), ['message']);
  },
};
