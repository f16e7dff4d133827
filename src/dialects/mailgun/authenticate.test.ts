import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CredentialHolder, Tenants } from '../../tenants/tenants.ts';
import { authenticate } from './authenticate.ts';

const holder: CredentialHolder = { tenantId: 7, streamId: null, identifier: 'seven' };
const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;

/** One key, which has the hardest form a key can have. */
const tenants: Pick<Tenants, 'credentialBySecret'> = {
  credentialBySecret: (protocol, secret) => (protocol === 'mailgun' && secret === 'key-1:2' ? holder : null),
};
const ask = (header: string | undefined) => authenticate(tenants, header);

describe('a request', () => {
  for (const header of [
    basic('api:key-1:2'),
    basic('api:key-1:2').replace('Basic', 'basic'),
    `${basic('api:key-1:2')} `,
  ]) {
    test(`is let in: ${header}`, () => assert.deepEqual(ask(header), holder));
  }

  const wrong: ReadonlyArray<string | undefined> = [
    undefined,
    '',
    'Basic',
    'Basic ',
    'Bearer key-1:2',
    'key-1:2',
    basic('api:key-1'),
    basic('api:'),
    basic('api'),
    basic(':key-1:2'),
    basic('API:key-1:2'),
    basic('apikey-1:2'),
    basic('key-1:2'),
    `${basic('api:key-1:2')}!`,
    `Basic ${'A'.repeat(100_000)}`,
    `Basic ${Buffer.from([0xff, 0xfe, 0x3a, 0xff]).toString('base64')}`,
  ];
  for (const header of wrong) {
    test(`is turned away: ${header?.slice(0, 60)}`, () => assert.equal(ask(header), null));
  }
});
