import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { namesHost, parseMtaStsPolicy, parseMtaStsRecords } from './mta-sts.ts';

const records: [records: string[], id: string | null][] = [
  [['v=STSv1; id=20160831085700Z;'], '20160831085700Z'],
  [['v=STSv1;id=1'], '1'],
  [['v=STSv1 ; id=1'], null],
  [['v=STSv1; id=1 ; x-more=a.b ;'], '1'],
  [['v=STSv1; id=first; id=second;'], 'first'],
  [['v=STSv1; x=1; id=after'], 'after'],
  [['some other record', 'v=STSv1; id=1;', 'v=spf1 -all'], '1'],
  [['v=STSv1; id=1;', 'v=STSv1; id=2;'], null],
  [['v=STSv1; id=1;', 'v=STSv1; broken'], null],
  [['v=stsv1; id=1;'], null],
  [['v=STSv1;'], null],
  [['v=STSv1; id=;'], null],
  [['v=STSv1; id=under_score;'], null],
  [[`v=STSv1; id=${'a'.repeat(32)};`], 'a'.repeat(32)],
  [[`v=STSv1; id=${'a'.repeat(33)};`], null],
  [['v=STSv1; ID=1;'], null],
  [['v=STSv1; id=1;; x=2'], null],
  [['v=STSv1; id=1; no equals sign'], null],
  [['v=STSv2; id=1;'], null],
  [[], null],
];
for (const [given, id] of records) {
  test(`the id of ${JSON.stringify(given).slice(0, 60)}`, () => assert.equal(parseMtaStsRecords(given), id));
}

const whole =
  'version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n';
const policies: [name: string, file: string, expected: unknown][] = [
  ['whole', whole, { mode: 'enforce', mx: ['mail.example.com', '*.example.net'], maxAgeSeconds: 604_800 }],
  [
    'with bare LF',
    whole.replaceAll('\r', ''),
    { mode: 'enforce', mx: ['mail.example.com', '*.example.net'], maxAgeSeconds: 604_800 },
  ],
  [
    'in another order, without blanks, with unknown terms and no end of line',
    'max_age:1\nx-more: y\nmx:A.Example\nmode:testing\nversion:STSv1',
    { mode: 'testing', mx: ['a.example'], maxAgeSeconds: 1 },
  ],
  [
    'none needs no mx',
    'version: STSv1\nmode: none\nmax_age: 0\n',
    { mode: 'none', mx: [], maxAgeSeconds: 0 },
  ],
  [
    'the first of two counts',
    'version: STSv1\nmode: testing\nmode: enforce\nmx: a.b\nmax_age: 5\nmax_age: 6\n',
    { mode: 'testing', mx: ['a.b'], maxAgeSeconds: 5 },
  ],
];
for (const [name, file, expected] of policies) {
  test(`a policy: ${name}`, () => assert.deepEqual(parseMtaStsPolicy(file), expected));
}

const broken: [name: string, file: string, problem: RegExp][] = [
  ['empty', '', /version/],
  ['a web page', '<!doctype html><title>404</title>', /version/],
  ['another version', whole.replace('STSv1', 'STSv2'), /version/],
  ['a mode in capitals', whole.replace('enforce', 'Enforce'), /mode/],
  ['no mode', whole.replace(/mode.*\r\n/, ''), /mode/],
  ['no age', whole.replace(/max_age.*\r\n/, ''), /max_age/],
  ['an age over a year', whole.replace('604800', '31557601'), /max_age/],
  ['a negative age', whole.replace('604800', '-1'), /max_age/],
  ['no mx', whole.replaceAll(/mx:.*\r\n/g, ''), /mx/],
  ['an mx that is no name', whole.replace('*.example.net', '*'), /host name/],
  ['a wildcard in the middle', whole.replace('*.example.net', 'mx.*.net'), /host name/],
  ['more mx than anyone has', `${whole}${'mx: a.b\n'.repeat(1000)}`, /too many/],
];
for (const [name, file, problem] of broken) {
  test(`no policy: ${name}`, () => {
    const parsed = parseMtaStsPolicy(file);
    assert.ok('problem' in parsed);
    assert.match(parsed.problem, problem);
  });
}

const named: [pattern: string, host: string, matches: boolean][] = [
  ['mail.example.com', 'mail.example.com', true],
  ['mail.example.com', 'MAIL.Example.Com.', true],
  ['mail.example.com', 'mail.example.com.evil.example', false],
  ['mail.example.com', 'xmail.example.com', false],
  ['*.example.com', 'mail.example.com', true],
  ['*.example.com', 'a.b.example.com', false],
  ['*.example.com', 'example.com', false],
  ['*.com', 'com', false],
  ['*.example.com', 'mail.example.org', false],
];
for (const [pattern, host, matches] of named) {
  test(`${pattern} ${matches ? 'names' : 'does not name'} ${host}`, () =>
    assert.equal(namesHost({ mx: [pattern] }, host), matches));
}

test('whatever a server may send is a policy or a problem', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
      const parsed = parseMtaStsPolicy(`version: STSv1\nmode: enforce\n${text}`);
      return 'problem' in parsed || parsed.mx.length > 0;
    }),
  );
});
