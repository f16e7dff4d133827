import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../base/clock.ts';
import type { Log, LogFields } from '../base/log.ts';
import { silentLog } from '../base/log.ts';
import type { Dane, Resolver } from '../dns/dns.ts';
import type { MtaStsPolicy } from '../protocol/mta-sts/mta-sts.ts';
import {
  type ConfiguredPolicy,
  configuredFor,
  createTlsPolicies,
  type Demand,
  demandOn,
  type Met,
  opportunistic,
  requiringTls,
} from './tls-policy.ts';

const record = { usage: 3, selector: 1, matchingType: 1, data: Buffer.alloc(32) };
const unusableRecord = { ...record, usage: 1 };
const named = { baseDomain: 'mx.host.net', names: ['mx.host.net', 'example.net'] };

const danes = {
  none: { kind: 'none' },
  usable: { kind: 'records', records: [unusableRecord, record], ...named },
  unusable: { kind: 'records', records: [unusableRecord], ...named },
  fault: { kind: 'fault', text: 'no answer for the TLSA' },
} satisfies Record<string, Dane>;

function sts(mode: MtaStsPolicy['mode'], ...mx: string[]): MtaStsPolicy {
  return { mode, mx, maxAgeSeconds: 86_400 };
}
const policies = {
  none: null,
  off: sts('none'),
  testing: sts('testing', '*.host.net'),
  testingOther: sts('testing', 'mx.other.net'),
  enforce: sts('enforce', '*.host.net'),
  enforceOther: sts('enforce', 'mx.other.net', 'host.net'),
};

/** What is expected in one line: `tls inForce`, `+dane` if records are checked, `testing` or what it says; or why not. */
type Row = [
  configured: ConfiguredPolicy,
  mtaSts: keyof typeof policies,
  dane: keyof typeof danes,
  expected: string | RegExp,
];

const notNamed = /does not name mx\.host\.net/;
const noAnswer = /no answer for the TLSA/;

const table: Row[] = [
  // RFC 8461 §5, RFC 7435: nothing published.
  ['published', 'none', 'none', 'opportunistic opportunistic'],
  // §5 "none": as if there were no policy.
  ['published', 'off', 'none', 'opportunistic opportunistic'],
  // §5 "testing": delivered whatever happens, and told.
  ['published', 'testing', 'none', 'opportunistic opportunistic testing'],
  ['published', 'testingOther', 'none', 'opportunistic opportunistic testing: not named'],
  // §5 "enforce": only to hosts that are named, with STARTTLS and a valid certificate.
  ['published', 'enforce', 'none', 'required mta-sts'],
  ['published', 'enforceOther', 'none', notNamed],
  // RFC 7672 §2.2: usable records; none that can be used; no answer.
  ['published', 'none', 'usable', 'encrypted dane +dane'],
  ['published', 'none', 'unusable', 'encrypted encrypted'],
  ['published', 'none', 'fault', noAnswer],
  // RFC 8461 §2: neither excuses the other.
  ['published', 'enforce', 'usable', 'required dane+mta-sts +dane'],
  ['published', 'enforce', 'unusable', 'required mta-sts'],
  ['published', 'enforce', 'fault', noAnswer],
  ['published', 'enforceOther', 'usable', notNamed],
  ['published', 'testing', 'usable', 'encrypted dane +dane testing'],
  ['published', 'testing', 'fault', noAnswer],
  ['published', 'off', 'usable', 'encrypted dane +dane'],
  // The operator: less, whatever is published.
  ['none', 'enforce', 'usable', 'none none'],
  ['none', 'none', 'fault', 'none none'],
  ['opportunistic', 'enforceOther', 'usable', 'opportunistic opportunistic'],
  ['opportunistic', 'none', 'fault', 'opportunistic opportunistic'],
  // The operator: more.
  ['required', 'none', 'none', 'required required'],
  ['required', 'off', 'none', 'required required'],
  ['required', 'testing', 'none', 'required required testing'],
  ['required', 'enforce', 'none', 'required mta-sts'],
  ['required', 'enforceOther', 'none', notNamed],
  ['required', 'none', 'usable', 'encrypted dane +dane'],
  ['required', 'none', 'unusable', 'required required'],
  ['required', 'none', 'fault', noAnswer],
  ['dane', 'none', 'usable', 'encrypted dane +dane'],
  ['dane', 'enforce', 'usable', 'required dane+mta-sts +dane'],
  ['dane', 'none', 'none', /no validated TLSA records/],
  ['dane', 'enforce', 'none', /no validated TLSA records/],
  ['dane', 'none', 'unusable', /no validated TLSA records/],
  ['dane', 'none', 'fault', noAnswer],
  ['mta-sts', 'enforce', 'none', 'required mta-sts'],
  ['mta-sts', 'enforce', 'usable', 'required dane+mta-sts +dane'],
  ['mta-sts', 'none', 'none', /no MTA-STS policy/],
  ['mta-sts', 'off', 'none', /no MTA-STS policy/],
  ['mta-sts', 'testing', 'none', /no MTA-STS policy/],
  ['mta-sts', 'testing', 'usable', /no MTA-STS policy/],
  ['mta-sts', 'enforceOther', 'none', notNamed],
];

function inOneLine({ tls, inForce, dane, testing }: Demand): string {
  const tested = testing && (testing.problem === '' ? 'testing' : 'testing: not named');
  return [tls, inForce, dane ? '+dane' : '', tested ?? ''].filter((word) => word !== '').join(' ');
}

for (const [configured, mtaSts, dane, expected] of table) {
  test(`${configured} · MTA-STS ${mtaSts} · TLSA ${dane}: ${expected}`, () => {
    const published = { mtaSts: policies[mtaSts], dane: danes[dane] };
    const demand = demandOn('mx.host.net', configured, published);
    if (expected instanceof RegExp) {
      assert.ok('refused' in demand);
      assert.match(demand.refused, expected);
    } else {
      assert.ok(!('refused' in demand));
      assert.equal(inOneLine(demand), expected);
    }
  });
}

test('no combination stands in the table twice', () => {
  const all = new Set(table.map(([configured, mtaSts, dane]) => `${configured} ${mtaSts} ${dane}`));
  assert.equal(all.size, table.length);
});

const rules = [
  { pattern: 'bank.example', policy: 'required' },
  { pattern: '*.corp.example', policy: 'none' },
  { pattern: 'late.corp.example', policy: 'dane' },
  { pattern: '*', policy: 'opportunistic' },
] as const;
for (const [domain, expected] of [
  ['bank.example', 'required'],
  ['www.bank.example', 'opportunistic'],
  ['a.corp.example', 'none'],
  ['a.b.corp.example', 'none'],
  ['late.corp.example', 'none'],
  ['corp.example', 'opportunistic'],
  ['xcorp.example', 'opportunistic'],
] as const) {
  test(`the first rule that names ${domain} counts`, () =>
    assert.equal(configuredFor(rules, domain), expected));
}

test('without a rule a domain is what it publishes', () => {
  assert.equal(configuredFor(rules.slice(0, 3), 'elsewhere.example'), 'published');
});

test('mail that requires TLS all the way is never sent with less', () => {
  const tls = (demand: Partial<Demand>) => requiringTls({ ...opportunistic, ...demand }).tls;
  assert.equal(tls({}), 'required');
  assert.equal(tls({ tls: 'none' }), 'required');
  assert.equal(tls({ tls: 'encrypted' }), 'required');
  assert.equal(tls({ tls: 'implicit' }), 'implicit');
  const check = { records: [record], ...named };
  assert.equal(tls({ tls: 'encrypted', dane: check }), 'encrypted');
});

interface Line {
  fields: LogFields;
  text: string;
}

function policiesWithLog() {
  const lines: Line[] = [];
  const log: Log = { ...silentLog, warn: (fields, text) => lines.push({ fields, text }) };
  const clock = manualClock(0);
  const resolver = {} as Resolver;
  const made = createTlsPolicies({ rules: [], resolver, mtaSts: { of: async () => null }, clock, log });
  const target = { name: 'mx.host.net', address: '192.0.2.1', port: 25 };
  return { lines, clock, factsOf: (met: Met) => made.factsOf('example.net', target, met) };
}

const testing: Demand = { ...opportunistic, testing: { problem: '' } };
const notNamedInTesting: Demand = { ...opportunistic, testing: { problem: 'not named' } };
const refusal = { refused: 'not named', inForce: 'mta-sts' } as const;
const outcomes: [name: string, met: Met, shortfall: string, warning: RegExp | null][] = [
  ['valid', { demand: opportunistic, outcome: 'secured', shortfall: '' }, '', null],
  [
    'an invalid certificate nobody minds',
    { demand: opportunistic, outcome: 'secured', shortfall: 'self-signed' },
    'self-signed',
    null,
  ],
  [
    'plain text',
    { demand: opportunistic, outcome: 'plain-text', shortfall: 'no STARTTLS' },
    'no STARTTLS',
    /plain text/,
  ],
  [
    'plain text by configuration',
    { demand: { ...opportunistic, tls: 'none', inForce: 'none' }, outcome: 'plain-text', shortfall: '' },
    '',
    null,
  ],
  ['testing, and well', { demand: testing, outcome: 'secured', shortfall: '' }, '', null],
  [
    'testing, and an invalid certificate',
    { demand: testing, outcome: 'secured', shortfall: 'self-signed' },
    'MTA-STS testing: self-signed',
    /testing would refuse/,
  ],
  [
    'testing, and a host that is not named',
    { demand: notNamedInTesting, outcome: 'secured', shortfall: '' },
    'MTA-STS testing: not named',
    /testing would refuse/,
  ],
  ['left out', { demand: refusal, outcome: 'left-out', shortfall: 'not named' }, 'not named', /left out/],
  [
    'not met',
    { demand: { ...opportunistic, tls: 'required' }, outcome: 'not-secured', shortfall: 'self-signed' },
    'self-signed',
    /did not meet/,
  ],
];
for (const [name, met, shortfall, warning] of outcomes) {
  test(`recorded and told: ${name}`, () => {
    const { lines, factsOf } = policiesWithLog();
    assert.deepEqual(factsOf(met), { inForce: met.demand.inForce, shortfall });
    assert.equal(lines.length, warning === null ? 0 : 1);
    if (warning !== null) assert.match(lines[0]?.text ?? '', warning);
  });
}

test('the same warning comes once an hour, not with every mail', () => {
  const { lines, clock, factsOf } = policiesWithLog();
  const met: Met = { demand: opportunistic, outcome: 'plain-text', shortfall: 'no STARTTLS' };
  for (let mails = 0; mails < 5; mails += 1) factsOf(met);
  assert.equal(lines.length, 1);
  factsOf({ ...met, shortfall: 'the handshake failed' });
  assert.equal(lines.length, 2);
  clock.advance(3_600_001);
  factsOf(met);
  assert.equal(lines.length, 3);
});
