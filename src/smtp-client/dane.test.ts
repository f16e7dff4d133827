import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { makeCertificate, type TlsaData, tlsaOf } from '../../test/support/certificates.ts';
import {
  close,
  expectLine,
  hello,
  helloAgain,
  type Identity,
  type Script,
  say,
  startScriptServer,
  startTls,
} from '../../test/support/script-server.ts';
import { daneProblem } from './dane.ts';
import { type ConnectOptions, connect, defaultTimeouts, type TlsaRecord, usableTlsa } from './smtp-client.ts';

const past = new Date('2020-01-01T00:00:00Z');
const longAgo = new Date('2019-01-01T00:00:00Z');
const now = Date.parse('2030-01-01T00:00:00Z');
const until = new Date('2040-01-01T00:00:00Z');

const made = { notBefore: past, notAfter: until };
const root = await makeCertificate({ names: ['root.test'], authority: true, ...made });
const middle = await makeCertificate({ names: ['middle.test'], authority: true, by: root, ...made });
const leaf = await makeCertificate({ names: ['mx.test'], by: middle, ...made });
const other = await makeCertificate({ names: ['mx.test'], ...made });
const old = await makeCertificate({ names: ['mx.test'], by: root, notBefore: longAgo, notAfter: past });
const client = await makeCertificate({ names: ['mx.test'], by: root, forClients: true, ...made });
const noAuthority = await makeCertificate({ names: ['middle.test'], by: root, ...made });
const below = await makeCertificate({ names: ['mx.test'], by: noAuthority, ...made });
const wild = await makeCertificate({ names: ['*.host.test'], by: root, ...made });
const selfMade = await makeCertificate({ names: ['mx.test'], authority: true, ...made });

function record([usage, selector, matchingType, data]: TlsaData): TlsaRecord {
  return { usage, selector, matchingType, data };
}

const matches = /^$/;
const noMatch = /no TLSA record matches/;

interface Case {
  sent: Identity[];
  records: TlsaData[];
  names?: string[];
  problem: RegExp;
}

const every: [usage: number, selector: number, type: number][] = [0, 1].flatMap((selector) =>
  [0, 1, 2].map((type): [number, number, number] => [3, selector, type]),
);

const cases: Record<string, Case> = {
  ...Object.fromEntries(
    every.map(([usage, selector, type]): [string, Case] => [
      `${usage} ${selector} ${type} matches the certificate of the server`,
      { sent: [leaf], records: [tlsaOf(leaf.cert, usage, selector, type)], problem: matches },
    ]),
  ),
  'usage 3: another certificate': {
    sent: [other, middle],
    records: [tlsaOf(leaf.cert, 3, 1, 1)],
    problem: noMatch,
  },
  'usage 3: not a certificate above it': {
    sent: [leaf, middle],
    records: [tlsaOf(middle.cert, 3, 1, 1)],
    problem: noMatch,
  },
  'usage 3: neither dates nor names count': {
    sent: [old],
    records: [tlsaOf(old.cert, 3, 0, 1)],
    names: ['elsewhere.test'],
    problem: matches,
  },
  'one of several records is enough, while a new certificate comes in': {
    sent: [leaf],
    records: [tlsaOf(other.cert, 3, 1, 1), tlsaOf(leaf.cert, 3, 1, 1)],
    problem: matches,
  },
  'a weaker digest does not count beside a stronger one that does not match': {
    sent: [leaf],
    records: [tlsaOf(leaf.cert, 3, 1, 1), tlsaOf(other.cert, 3, 1, 2)],
    problem: noMatch,
  },
  'a stronger digest of another kind does not count against it': {
    sent: [leaf],
    records: [tlsaOf(leaf.cert, 3, 1, 1), tlsaOf(other.cert, 3, 0, 2)],
    problem: matches,
  },
  'usage 2: the authority that signed': {
    sent: [leaf, middle],
    records: [tlsaOf(middle.cert, 2, 1, 1)],
    problem: matches,
  },
  'usage 2: the authority above that': {
    sent: [leaf, middle, root],
    records: [tlsaOf(root.cert, 2, 0, 2)],
    problem: matches,
  },
  'usage 2: in whatever order they were sent': {
    sent: [leaf, root, middle],
    records: [tlsaOf(root.cert, 2, 0, 1)],
    problem: matches,
  },
  'usage 2: the authority was not sent, and a digest does not bring it': {
    sent: [leaf, middle],
    records: [tlsaOf(root.cert, 2, 0, 1)],
    problem: noMatch,
  },
  'usage 2: the record holds the whole authority': {
    sent: [leaf, middle],
    records: [tlsaOf(root.cert, 2, 0, 0)],
    problem: matches,
  },
  'usage 2: the record holds the key of the authority': {
    sent: [leaf, middle],
    records: [tlsaOf(root.cert, 2, 1, 0)],
    problem: matches,
  },
  'usage 2: the chain has a hole': {
    sent: [leaf, root],
    records: [tlsaOf(root.cert, 2, 0, 1)],
    problem: noMatch,
  },
  'usage 2: the authority is there and signed nothing': {
    sent: [other, root],
    records: [tlsaOf(root.cert, 2, 0, 1)],
    problem: noMatch,
  },
  'usage 2: the certificate is for another name': {
    sent: [leaf, middle],
    records: [tlsaOf(middle.cert, 2, 1, 1)],
    names: ['mx.elsewhere.test', 'elsewhere.test'],
    problem: /another name than mx\.elsewhere\.test, elsewhere\.test/,
  },
  'usage 2: one of the names is enough': {
    sent: [leaf, middle],
    records: [tlsaOf(middle.cert, 2, 1, 1)],
    names: ['mx.elsewhere.test', 'mx.test'],
    problem: matches,
  },
  'usage 2: a wildcard for the first label': {
    sent: [wild, root],
    records: [tlsaOf(root.cert, 2, 1, 1)],
    names: ['mx.host.test'],
    problem: matches,
  },
  'usage 2: the certificate is out of date': {
    sent: [old, root],
    records: [tlsaOf(root.cert, 2, 0, 1)],
    problem: /outside its dates/,
  },
  'usage 2: the certificate is for clients': {
    sent: [client, root],
    records: [tlsaOf(root.cert, 2, 0, 1)],
    problem: /not for servers/,
  },
  'usage 2: who signed is no authority': {
    sent: [below, noAuthority, root],
    records: [tlsaOf(root.cert, 2, 0, 1)],
    problem: /no authority|no TLSA record/,
  },
  'usage 2: the certificate of the server, which signed itself': {
    sent: [selfMade],
    records: [tlsaOf(selfMade.cert, 2, 0, 1)],
    problem: matches,
  },
  'usage 2: the certificate of the server, which somebody else signed': {
    sent: [leaf, middle],
    records: [tlsaOf(leaf.cert, 2, 0, 1)],
    problem: noMatch,
  },
  'nothing was sent': { sent: [], records: [tlsaOf(leaf.cert, 3, 1, 1)], problem: /no certificate/ },
  'an authority that goes in circles': {
    sent: [leaf, ...new Array<Identity>(30).fill(middle)],
    records: [tlsaOf(root.cert, 2, 0, 1)],
    problem: noMatch,
  },
};

for (const [name, { sent, records, names = ['mx.test'], problem }] of Object.entries(cases)) {
  test(name, () => {
    const certificates = sent.map(({ cert }) => new X509Certificate(cert));
    const check = { records: records.map(record), baseDomain: 'mx.test', names };
    assert.match(daneProblem(certificates, check, now), problem);
  });
}

const [, , , digest] = tlsaOf(leaf.cert, 3, 1, 1);
const unusable: [why: string, data: TlsaData][] = [
  ['usage 0', [0, 1, 1, digest]],
  ['usage 1', [1, 1, 1, digest]],
  ['usage 4', [4, 1, 1, digest]],
  ['selector 2', [3, 2, 1, digest]],
  ['matching type 3', [3, 1, 3, digest]],
  ['a digest of a wrong length', [3, 1, 1, digest.subarray(1)]],
  ['SHA-512 with the length of SHA-256', [3, 1, 2, digest]],
  ['no data', [3, 1, 1, Buffer.alloc(0)]],
  ['a whole certificate that is none', [3, 0, 0, digest]],
  ['a whole key that is none', [2, 1, 0, digest]],
];
for (const [why, data] of unusable) {
  test(`a record that cannot be used: ${why}`, () => {
    assert.deepEqual(usableTlsa([record(data)]), []);
    const check = { records: [record(data)], baseDomain: 'mx.test', names: ['mx.test'] };
    assert.match(daneProblem([new X509Certificate(leaf.cert)], check, now), noMatch);
  });
}

const goodbye = [expectLine('QUIT'), say('221 bye'), close];
function upgrade(identity: Identity): Script {
  return [
    ...[...hello('STARTTLS'), expectLine('STARTTLS'), say('220 go'), startTls(identity)],
    ...[...helloAgain(), ...goodbye],
  ];
}

async function connected(script: Script, options: Partial<ConnectOptions>) {
  const server = await startScriptServer([script]);
  const { port } = server;
  const session = await connect({
    ...{ greetingName: 'me.test', timeouts: defaultTimeouts, tls: 'encrypted' },
    ...options,
    target: { name: 'mx.test', address: '127.0.0.1', port },
  });
  if ('send' in session) await session.quit();
  await server.close();
  return session;
}

function checkOf(...records: TlsaData[]): Pick<ConnectOptions, 'dane'> {
  return { dane: { records: records.map(record), baseDomain: 'mx.test', names: ['mx.test'] } };
}

test('over a connection: the certificate that the records speak of', async () => {
  const session = await connected(upgrade(other), checkOf(tlsaOf(other.cert, 3, 1, 1)));
  assert.ok('send' in session);
  assert.equal(session.tls?.verified, true);
  assert.equal(session.tlsShortfall, '');
});

test('over a connection: the chain that was sent leads to the authority of the records', async () => {
  const chain = { key: leaf.key, cert: `${leaf.cert}\n${middle.cert}` };
  const session = await connected(upgrade(chain), checkOf(tlsaOf(middle.cert, 2, 0, 1)));
  assert.ok('send' in session, JSON.stringify(session));
  assert.equal(session.tls?.verified, true);
});

test('over a connection: another certificate, even if it is valid otherwise', async () => {
  const session = await connected(upgrade(leaf), {
    ...checkOf(tlsaOf(other.cert, 3, 1, 1)),
    trustedCertificates: [root.cert, middle.cert],
  });
  assert.ok('failed' in session);
  assert.equal(session.failed.stage, 'tls');
  assert.equal(session.failed.cause, 'tls');
  assert.match(session.failed.text, noMatch);
  assert.deepEqual(session.tls && { ...session.tls, cipher: '' }, {
    ...{ version: 'TLSv1.3', cipher: '', verified: false },
  });
});

test('over a connection: records and an authority, if both are asked for', async () => {
  const both = { tls: 'required' as const, ...checkOf(tlsaOf(other.cert, 3, 1, 1)) };
  const byRecord = await connected(upgrade(other), both);
  assert.ok('failed' in byRecord);
  assert.match(byRecord.failed.text, /not valid/);
  const byBoth = await connected(upgrade(other), { ...both, trustedCertificates: [other.cert] });
  assert.ok('send' in byBoth);
});

test('over a connection: no STARTTLS, no mail', async () => {
  const session = await connected([...hello(), ...goodbye], checkOf(tlsaOf(other.cert, 3, 1, 1)));
  assert.ok('failed' in session);
  assert.equal(session.failed.cause, 'unsupported');
});

test('encrypted: any certificate, but no plain text', async () => {
  const session = await connected(upgrade(other), {});
  assert.ok('send' in session);
  assert.equal(session.tls?.verified, false);
  assert.match(session.tlsShortfall, /not valid/);
  const plain = await connected([...hello(), ...goodbye], {});
  assert.ok('failed' in plain);
  const refusing = [...hello('STARTTLS'), expectLine('STARTTLS'), say('454 4.7.0 not now')];
  const refused = await connected(refusing, {});
  assert.ok('failed' in refused);
});
