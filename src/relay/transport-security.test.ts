/**
 * Attempts against real servers: a name server, the web server of MTA-STS, mail servers with certificates. What is
 * asserted is what the attempt recorded and what the mail server got to hear.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeCertificate, tlsaOf } from '../../test/support/certificates.ts';
import { type Name, startDnsServer } from '../../test/support/dns-server.ts';
import { policyFile, startPolicyServer } from '../../test/support/policy-server.ts';
import {
  expectContent,
  expectLine,
  hello,
  helloAgain,
  type Identity,
  type Script,
  say,
  sayRaw,
  silence,
  startScriptServer,
  startTls,
} from '../../test/support/script-server.ts';
import { systemClock } from '../base/clock.ts';
import { type Log, type LogFields, silentLog } from '../base/log.ts';
import { createFindTargets, createResolver } from '../dns/dns.ts';
import type { DeliveryStatus } from '../events/delivery-status.ts';
import type { DeliveryFacts, MailFacts } from '../events/event.ts';
import { connect, createSessionPool } from '../smtp-client/smtp-client.ts';
import { openStore } from '../store/store.ts';
import { deliver } from './deliver.ts';
import { createMtaStsPolicies } from './mta-sts.ts';
import { createFetchPolicy } from './mta-sts-fetch.ts';
import { createTlsPolicies, type TlsPolicyRule } from './tls-policy.ts';

const authority = await makeCertificate({ names: ['authority.test'], authority: true });
const web = await makeCertificate({
  names: ['mta-sts.strict.net', 'mta-sts.tests.net', 'mta-sts.lax.net'],
  by: authority,
});
const valid = await makeCertificate({ names: ['mx.host.net'], by: authority });
const selfMade = await makeCertificate({ names: ['mx.host.net'] });
const otherName = await makeCertificate({ names: ['mx.other.net'], by: authority });
const trustedCertificates = [authority.cert];

const mailTaken: Script = [
  ...[expectLine(/^MAIL FROM:/), say('250 ok'), expectLine(/^RCPT TO:/), say('250 ok')],
  ...[expectLine('DATA'), say('354 go'), expectContent, say('250 taken')],
];
const securedBy = (identity: Identity): Script => [
  ...[...hello('STARTTLS'), expectLine('STARTTLS'), say('220 go'), startTls(identity), ...helloAgain()],
];
const takesMailBy = (identity: Identity): Script => [...securedBy(identity), ...mailTaken, silence];
const plainOnly: Script = [...hello(), ...mailTaken, silence];
const brokenTls: Script = [
  ...[...hello('STARTTLS'), expectLine('STARTTLS'), say('220 go')],
  ...[
    (peer: { readBytes(count: number): Promise<void> }) => peer.readBytes(1),
    sayRaw('nonsense\r\n'),
    silence,
  ],
];

interface World {
  /** One script for each connection to the mail server. */
  scripts: Script[];
  names?: Record<string, Name>;
  rules?: TlsPolicyRule[];
  /** By domain. */
  policies?: Record<string, string>;
}

async function startWorld(t: TestContext, { scripts, names = {}, rules = [], policies = {} }: World) {
  const mailServer = await startScriptServer(scripts);
  t.after(() => mailServer.close());
  const policyServer = await startPolicyServer(t, web);
  const zone: Record<string, Name> = { 'mx.host.net': { addresses: ['127.0.0.1'] } };
  for (const [domain, body] of Object.entries(policies)) {
    policyServer.replies.set(`mta-sts.${domain}`, { body });
    zone[`_mta-sts.${domain}`] = { txt: ['v=STSv1; id=1;'] };
    zone[`mta-sts.${domain}`] = { addresses: ['127.0.0.1'] };
  }
  for (const domain of ['strict.net', 'tests.net', 'lax.net']) zone[domain] = { mx: [[10, 'mx.host.net']] };
  const dns = await startDnsServer({ ...zone, ...names });
  t.after(() => dns.close());
  const directory = mkdtempSync(join(tmpdir(), 'waybill-tls-'));
  const store = openStore(join(directory, 'store.sqlite'));
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  const warnings: { fields: LogFields; text: string }[] = [];
  const log: Log = { ...silentLog, warn: (fields, text) => warnings.push({ fields, text }) };
  const clock = systemClock;
  const resolver = createResolver({ clock, servers: [dns.address], timeoutMs: 2_000, tries: 1 });
  const place = { resolver, port: policyServer.port, loopback: true, authorities: [authority.cert] };
  const mtaSts = createMtaStsPolicies({ store, resolver, clock, log, fetchPolicy: createFetchPolicy(place) });
  const sessions = createSessionPool((options) => connect({ ...options, trustedCertificates }), clock);
  t.after(() => sessions.close());
  const deps = {
    ...{ clock, hostname: 'me.test', nextHop: null, sessions },
    findTargets: createFindTargets({ clock, resolver, port: mailServer.port, loopback: true }),
    tlsPolicies: createTlsPolicies({ rules, resolver, mtaSts, clock, log }),
  };
  const send = async (domain: string): Promise<DeliveryStatus> => {
    const [status] = await deliver(mailTo(domain), deps);
    assert.ok(status);
    return status;
  };
  return { send, warnings, mailServer, dns };
}

function mailTo(domain: string) {
  const delivery = {
    n: 1,
    forwardPath: `b@${domain}`,
    domain,
    provider: domain,
    attempts: 1,
  } as DeliveryFacts;
  return {
    facts: { mailId: 1, reversePath: 'a@sender.test' } as MailFacts,
    destination: domain,
    content: Buffer.from('Subject: x\r\n\r\ny\r\n'),
    deliveries: [delivery],
    source: null,
    envelope: { options: null, forwardPathOptions: new Map() },
  };
}

interface Expected {
  outcome: DeliveryStatus['outcome'];
  inForce: string;
  verified?: boolean | null;
  shortfall?: RegExp;
  /** Of the log; none if not given. */
  warning?: RegExp;
  connections?: number;
  domain?: string;
}

const enforced = { 'strict.net': policyFile('enforce', ['mx.host.net']) };
const enforcedForOther = { 'strict.net': policyFile('enforce', ['mx.other.net']) };
const signedZone = (port: number, tlsa: Name): Record<string, Name> => ({
  'strict.net': { mx: [[10, 'mx.host.net']], signed: true },
  'mx.host.net': { addresses: ['127.0.0.1'], signed: true },
  [`_${port}._tcp.mx.host.net`]: tlsa,
});

const cases: Record<string, World & Expected> = {
  'nothing published: any certificate will do': {
    scripts: [takesMailBy(selfMade)],
    ...{ outcome: 'delivered', inForce: 'opportunistic', verified: false, shortfall: /not valid/ },
  },
  'nothing published: plain text, but never in silence': {
    scripts: [plainOnly],
    ...{ outcome: 'delivered', inForce: 'opportunistic', verified: null },
    ...{ shortfall: /does not offer STARTTLS/, warning: /plain text/ },
  },
  'nothing published: plain text after a handshake that failed, but never in silence': {
    scripts: [brokenTls, plainOnly],
    ...{ outcome: 'delivered', inForce: 'opportunistic', verified: null },
    ...{ shortfall: /handshake failed/, warning: /plain text/, connections: 2 },
  },
  'enforce: a named host with a valid certificate': {
    ...{ scripts: [takesMailBy(valid)], policies: enforced },
    ...{ outcome: 'delivered', inForce: 'mta-sts', verified: true },
  },
  'enforce: a certificate nobody vouches for': {
    ...{ scripts: [securedBy(selfMade)], policies: enforced },
    ...{ outcome: 'deferred', inForce: 'mta-sts', verified: false },
    ...{ shortfall: /not valid/, warning: /did not meet/ },
  },
  'enforce: a certificate for another name': {
    ...{ scripts: [securedBy(otherName)], policies: enforced },
    ...{ outcome: 'deferred', inForce: 'mta-sts', verified: false },
    ...{ shortfall: /not valid/, warning: /did not meet/ },
  },
  'enforce: no STARTTLS': {
    ...{ scripts: [plainOnly], policies: enforced },
    ...{ outcome: 'deferred', inForce: 'mta-sts', verified: null },
    ...{ shortfall: /does not offer STARTTLS/, warning: /did not meet/ },
  },
  'enforce: a handshake that fails is not followed by plain text': {
    ...{ scripts: [brokenTls, plainOnly], policies: enforced },
    ...{ outcome: 'deferred', inForce: 'mta-sts', verified: null },
    ...{ shortfall: /handshake failed/, warning: /did not meet/, connections: 1 },
  },
  'enforce: a host that is not named is not even connected to': {
    ...{ scripts: [takesMailBy(valid)], policies: enforcedForOther },
    ...{ outcome: 'deferred', inForce: 'mta-sts', verified: null },
    ...{ shortfall: /does not name mx\.host\.net/, warning: /left out/, connections: 0 },
  },
  'testing is not enforced: a certificate nobody vouches for': {
    ...{ scripts: [takesMailBy(selfMade)], domain: 'tests.net' },
    policies: { 'tests.net': policyFile('testing', ['mx.host.net']) },
    ...{ outcome: 'delivered', inForce: 'opportunistic', verified: false },
    ...{ shortfall: /^MTA-STS testing: .*not valid/, warning: /testing would refuse/ },
  },
  'testing is not enforced: a host that is not named': {
    ...{ scripts: [takesMailBy(valid)], domain: 'tests.net' },
    policies: { 'tests.net': policyFile('testing', ['mx.other.net']) },
    ...{ outcome: 'delivered', inForce: 'opportunistic', verified: true },
    ...{ shortfall: /^MTA-STS testing: .*does not name/, warning: /testing would refuse/ },
  },
  'testing is not enforced: plain text': {
    ...{ scripts: [plainOnly], domain: 'tests.net' },
    policies: { 'tests.net': policyFile('testing', ['mx.host.net']) },
    ...{ outcome: 'delivered', inForce: 'opportunistic', verified: null },
    ...{ shortfall: /^MTA-STS testing: .*STARTTLS/, warning: /plain text/ },
  },
  'mode none: as if there were no policy': {
    ...{ scripts: [takesMailBy(selfMade)], domain: 'tests.net' },
    policies: { 'tests.net': policyFile('none', []) },
    ...{ outcome: 'delivered', inForce: 'opportunistic', verified: false, shortfall: /not valid/ },
  },
  'configured none: STARTTLS is not said, whatever is published': {
    ...{ scripts: [plainOnly], policies: enforced, rules: [{ pattern: 'strict.net', policy: 'none' }] },
    ...{ outcome: 'delivered', inForce: 'none', verified: null },
  },
  'configured opportunistic: whatever is published': {
    ...{ scripts: [takesMailBy(selfMade)], policies: enforced },
    rules: [{ pattern: '*.net', policy: 'opportunistic' }],
    ...{ outcome: 'delivered', inForce: 'opportunistic', verified: false, shortfall: /not valid/ },
  },
  'configured required: a valid certificate': {
    ...{ scripts: [takesMailBy(valid)], rules: [{ pattern: '*', policy: 'required' }] },
    ...{ outcome: 'delivered', inForce: 'required', verified: true },
  },
  'configured required: a certificate nobody vouches for': {
    ...{ scripts: [securedBy(selfMade)], rules: [{ pattern: '*', policy: 'required' }] },
    ...{ outcome: 'deferred', inForce: 'required', verified: false },
    ...{ shortfall: /not valid/, warning: /did not meet/ },
  },
};

for (const [name, { domain = 'strict.net', ...wish }] of Object.entries(cases)) {
  test(name, async (t) => {
    const { send, warnings, mailServer } = await startWorld(t, wish);
    check(await send(domain), wish);
    assert.equal(mailServer.connections.length, wish.connections ?? 1);
    assert.deepEqual(warnings.length, wish.warning === undefined ? 0 : 1, JSON.stringify(warnings));
    if (wish.warning) assert.match(warnings[0]?.text ?? '', wish.warning);
    const heard = mailServer.connections.flatMap((connection) => connection.heard);
    assert.equal(
      heard.some((line) => line.startsWith('MAIL')),
      wish.outcome === 'delivered',
    );
  });
}

function check(status: DeliveryStatus, { outcome, inForce, verified, shortfall = /^$/ }: Expected): void {
  assert.equal(status.outcome, outcome, status.diagnostic);
  assert.equal(status.tlsPolicy?.inForce, inForce);
  assert.match(status.tlsPolicy.shortfall, shortfall);
  assert.equal(status.tls === null ? null : status.tls.verified, verified ?? null);
  if (outcome === 'deferred') {
    assert.equal(status.reason, 'tls');
    assert.match(status.enhancedStatus.value, /^4\.7\./);
  }
}

interface DaneCase extends Expected {
  scripts: Script[];
  tlsa: Name;
  policies?: Record<string, string>;
}

const signed = { signed: true };
const byKey = (...identities: Identity[]): Name => ({
  tlsa: identities.map(({ cert }) => tlsaOf(cert, 3, 1, 1)),
  ...signed,
});
const unusable: Name = { tlsa: [tlsaOf(valid.cert, 1, 1, 1)], ...signed };

const daneCases: Record<string, DaneCase> = {
  'DANE: the certificate of the records, which nobody else vouches for': {
    ...{ scripts: [takesMailBy(selfMade)], tlsa: byKey(selfMade) },
    ...{ outcome: 'delivered', inForce: 'dane', verified: true },
  },
  'DANE: a certificate that is valid, but not of the records': {
    ...{ scripts: [securedBy(valid)], tlsa: byKey(selfMade) },
    ...{ outcome: 'deferred', inForce: 'dane', verified: false },
    ...{ shortfall: /no TLSA record matches/, warning: /did not meet/ },
  },
  'DANE: no STARTTLS, no mail': {
    ...{ scripts: [plainOnly], tlsa: byKey(selfMade) },
    ...{ outcome: 'deferred', inForce: 'dane', shortfall: /STARTTLS/, warning: /did not meet/ },
  },
  'DANE: a handshake that fails is not followed by plain text': {
    ...{ scripts: [brokenTls, plainOnly], tlsa: byKey(selfMade) },
    ...{ outcome: 'deferred', inForce: 'dane', shortfall: /handshake/, warning: /did not meet/ },
  },
  'DANE: no answer for the records, no connection': {
    ...{ scripts: [plainOnly], tlsa: { rcode: 2 }, connections: 0 },
    ...{ outcome: 'deferred', inForce: 'dane', shortfall: /ESERVFAIL/, warning: /left out/ },
  },
  'DANE: records that are not signed do not count, for or against': {
    ...{ scripts: [takesMailBy(valid)], tlsa: { ...byKey(selfMade), signed: false } },
    ...{ outcome: 'delivered', inForce: 'opportunistic', verified: true },
  },
  'DANE: records that cannot be used ask for TLS with whoever answers': {
    ...{ scripts: [takesMailBy(selfMade)], tlsa: unusable },
    ...{ outcome: 'delivered', inForce: 'encrypted', verified: false, shortfall: /not valid/ },
  },
  'DANE: records that cannot be used still ask for TLS': {
    ...{ scripts: [plainOnly], tlsa: unusable },
    ...{ outcome: 'deferred', inForce: 'encrypted', shortfall: /STARTTLS/, warning: /did not meet/ },
  },
  'DANE and MTA-STS: a certificate that meets both': {
    ...{ scripts: [takesMailBy(valid)], tlsa: byKey(valid), policies: enforced },
    ...{ outcome: 'delivered', inForce: 'dane+mta-sts', verified: true },
  },
  'DANE and MTA-STS: a valid certificate does not excuse the records': {
    ...{ scripts: [securedBy(valid)], tlsa: byKey(selfMade), policies: enforced },
    ...{ outcome: 'deferred', inForce: 'dane+mta-sts', verified: false },
    ...{ shortfall: /no TLSA record/, warning: /did not meet/ },
  },
  'DANE and MTA-STS: the records do not excuse the certificate': {
    ...{ scripts: [securedBy(selfMade)], tlsa: byKey(selfMade), policies: enforced },
    ...{ outcome: 'deferred', inForce: 'dane+mta-sts', verified: true },
    ...{ shortfall: /not valid/, warning: /did not meet/ },
  },
};

for (const [name, { tlsa, ...wish }] of Object.entries(daneCases)) {
  test(name, async (t) => {
    const { send, warnings, mailServer, dns } = await startWorld(t, wish);
    for (const [key, entry] of Object.entries(signedZone(mailServer.port, tlsa))) dns.names.set(key, entry);
    check(await send('strict.net'), wish);
    assert.equal(mailServer.connections.length, wish.connections ?? 1);
    assert.equal(warnings.length, wish.warning === undefined ? 0 : 1, JSON.stringify(warnings));
    if (wish.warning) assert.match(warnings[0]?.text ?? '', wish.warning);
  });
}

test('the policy of one domain neither blocks nor loosens that of its neighbour on the same MX', async (t) => {
  const { send, mailServer } = await startWorld(t, {
    policies: enforced,
    scripts: [
      securedBy(selfMade),
      [...securedBy(selfMade), ...mailTaken, ...mailTaken, silence],
      securedBy(selfMade),
    ],
  });
  assert.equal((await send('strict.net')).outcome, 'deferred');
  assert.equal((await send('lax.net')).outcome, 'delivered');
  // The session that took the mail of the neighbour is open, and not good enough.
  assert.equal((await send('strict.net')).outcome, 'deferred');
  assert.equal((await send('lax.net')).outcome, 'delivered');
  assert.equal(mailServer.connections.length, 3);
});

test('where one host does not meet the policy the next one may', async (t) => {
  const { send, mailServer } = await startWorld(t, {
    policies: enforced,
    scripts: [takesMailBy(valid)],
    names: {
      'strict.net': {
        mx: [
          [10, 'mx.stranger.net'],
          [20, 'mx.host.net'],
        ],
      },
      'mx.stranger.net': { addresses: ['127.0.0.1'] },
    },
  });
  const status = await send('strict.net');
  assert.equal(status.outcome, 'delivered');
  assert.equal(status.remoteMta?.name, 'mx.host.net');
  assert.equal(mailServer.connections.length, 1);
});
