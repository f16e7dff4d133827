import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { limits } from '../../base/limits.ts';
import { readDeliveryStatus } from './dsn.ts';
import { isReturned, linesOf, parameter, readParts } from './parts.ts';
import { fieldsIn, readFields } from './report-fields.ts';

const group = 'Final-Recipient: rfc822; b@example.org\nAction: failed\nStatus: 5.1.1\n';

function recipientsOf(text: string) {
  return (readDeliveryStatus(text)?.recipients ?? []).map(({ finalRecipient, action, status }) =>
    [finalRecipient, action, status].join(' '),
  );
}

test('a report as RFC 3464 has it', () => {
  const report = readDeliveryStatus(
    'Reporting-MTA: dns; mx.example.net\nOriginal-Envelope-Id: QQ314159\n\n' +
      'Original-Recipient: rfc822;c@example.org\nFinal-Recipient: rfc822;b@example.org\nAction: failed\n' +
      'Status: 5.1.1 (no such user)\nRemote-MTA: dns; mx.example.org\n' +
      'Diagnostic-Code: smtp; 550 5.1.1\n <b@example.org>: User unknown\n',
  );
  assert.deepEqual(report, {
    reportingMta: 'mx.example.net',
    originalEnvelopeId: 'QQ314159',
    recipients: [
      {
        finalRecipient: 'b@example.org',
        originalRecipient: 'c@example.org',
        actualRecipient: '',
        action: 'failed',
        status: '5.1.1',
        statusText: '(no such user)',
        diagnosticType: 'smtp',
        diagnostic: '550 5.1.1 <b@example.org>: User unknown',
        remoteMta: 'mx.example.org',
      },
    ],
  });
});

const groups: [what: string, text: string, expected: string[]][] = [
  [
    'several recipients',
    `Reporting-MTA: dns; x\n\n${group}\n${group.replace('b@', 'c@')}`,
    ['b@example.org failed 5.1.1', 'c@example.org failed 5.1.1'],
  ],
  [
    'no empty line between fields of the message and of the recipient',
    `Reporting-MTA: dns; x\n${group}`,
    ['b@example.org failed 5.1.1'],
  ],
  [
    'no empty line between two recipients',
    `${group}${group.replace('b@', 'c@')}`,
    ['b@example.org failed 5.1.1', 'c@example.org failed 5.1.1'],
  ],
  ['white space in the empty line', `Reporting-MTA: dns; x\n \t\n${group}`, ['b@example.org failed 5.1.1']],
  [
    'white space before the colon',
    'Action : failed\nStatus : 5.0.0\nFinal-Recipient : rfc/822;b@example.org\n',
    ['b@example.org failed 5.0.0'],
  ],
  [
    'fields in another order',
    'Status: 4.4.7\nAction: delayed\nFinal-Recipient: RFC822; b@example.org\n',
    ['b@example.org delayed 4.4.7'],
  ],
  ['no final recipient', 'Original-Recipient: <b@example.org>\nAction: failed\n', ['b@example.org failed ']],
  [
    'a source route',
    'Final-Recipient: rfc822;@a.example,@b.example:c@d.example\nAction: failed\n',
    ['c@d.example failed '],
  ],
  [
    'an address of another kind (RFC 6533)',
    'Final-Recipient: utf-8; bücher@example.org\nAction: failed\nStatus: 5.1.1\n',
    ['bücher@example.org failed 5.1.1'],
  ],
  [
    'a word that is no action',
    'Final-Recipient: rfc822; b@example.org\nAction: constructor\nStatus: 5.1.1\n',
    ['b@example.org  5.1.1'],
  ],
  [
    'a status that is none',
    'Final-Recipient: rfc822; b@example.org\nAction: failed\nStatus: 5.1\n',
    ['b@example.org failed '],
  ],
  ['names of JavaScript', `__proto__: x\nconstructor: y\n${group}`, ['b@example.org failed 5.1.1']],
  ['no recipient at all', 'Reporting-MTA: dns; x\nArrival-Date: today\n', []],
  [
    'a lone recipient, as header sections hold it',
    'Original-Recipient: rfc822;b@example.org\nSubject: x\n',
    [],
  ],
  ['nothing', '', []],
];
for (const [what, text, expected] of groups) {
  test(`groups: ${what}`, () => assert.deepEqual(recipientsOf(text), expected));
}

test('a report names as many recipients as are looked at', () => {
  const many = `${group}\n`.repeat(limits.reportRecipients + 5);
  assert.ok((readDeliveryStatus(many)?.recipients.length ?? 0) <= limits.reportRecipients);
});

const report = [
  'Content-Type: multipart/report; report-type=delivery-status; boundary="=_x; y"',
  '',
  'preamble',
  '--=_x; y',
  'Content-Type: text/plain; charset=iso-8859-1',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  'M=FCller =',
  'unknown',
  '--=_x; y',
  'Content-Type: Message/Delivery-Status',
  '',
  group,
  '--=_x; y',
  'Content-Type: message/rfc822',
  '',
  'To: b@example.org',
  '',
  '--=_x; y--',
  'epilogue',
];

for (const [name, end] of [
  ['LF', '\n'],
  ['CRLF', '\r\n'],
  ['CR', '\r'],
  ['CR CR LF', '\r\r\n'],
] as const) {
  test(`parts are found with ${name} line ends`, () => {
    const { type, parts } = readParts(Buffer.from(report.join('\n').replaceAll('\n', end)));
    assert.equal(type, 'multipart/report');
    assert.deepEqual(
      parts.map((part) => part.type),
      ['text/plain', 'message/delivery-status', 'message/rfc822'],
    );
    assert.equal(parts[0]?.text.trim(), 'Müller unknown');
    assert.deepEqual(parts.map(isReturned), [false, false, true]);
    assert.deepEqual(recipientsOf(parts[1]?.text ?? ''), ['b@example.org failed 5.1.1']);
  });
}

const broken: [what: string, content: string, types: string[]][] = [
  [
    'a boundary that is never closed',
    report.slice(0, -2).join('\n'),
    ['text/plain', 'message/delivery-status', 'message/rfc822'],
  ],
  ['a boundary that is nowhere', 'Content-Type: multipart/mixed; boundary=x\n\nwords', ['text/plain']],
  ['no boundary', 'Content-Type: multipart/mixed\n\nwords', ['text/plain']],
  ['an empty boundary', 'Content-Type: multipart/mixed; boundary=""\n\n--\n\nwords', ['text/plain']],
  [
    'a part without a header section',
    'Content-Type: multipart/mixed; boundary=x\n\n--x\nHi. This is: words\n--x--',
    ['text/plain'],
  ],
  [
    'nested containers',
    'Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: multipart/alternative; boundary=y\n\n--y\nContent-Type: text/html\n\n<p>\n--y--\n--x--',
    ['text/html'],
  ],
  ['no content', '', ['text/plain']],
  ['no header section', '\nwords', ['text/plain']],
];
for (const [what, content, types] of broken) {
  test(`broken: ${what}`, () =>
    assert.deepEqual(
      readParts(Buffer.from(content)).parts.map(({ type }) => type),
      types,
    ));
}

test('a part that begins with words keeps all of them', () => {
  const content = 'Content-Type: multipart/mixed; boundary=x\n\n--x\nHi. This is: words\n\nmore\n--x--';
  assert.match(readParts(Buffer.from(content)).parts[0]?.text ?? '', /^Hi\. This is: words\n\nmore/);
});

test('nesting and numbers of parts are bounded', () => {
  let nested = 'words';
  for (let depth = 0; depth < 1000; depth++)
    nested = `Content-Type: multipart/mixed; boundary=b${depth}\n\n--b${depth}\n${nested}`;
  assert.equal(readParts(Buffer.from(nested)).parts.length, 1);
  const many = `Content-Type: multipart/mixed; boundary=x\n\n${'--x\n\n\n'.repeat(10_000)}`;
  assert.equal(readParts(Buffer.from(many)).parts.length, limits.reportParts);
  const same = `Content-Type: multipart/mixed; boundary=x\n\n${'--x\nContent-Type: multipart/mixed; boundary=x\n\n'.repeat(10_000)}`;
  assert.ok(readParts(Buffer.from(same)).parts.length <= limits.reportParts);
});

test('transfer encodings and character sets, known or not', () => {
  const text = (fields: string, body: string) =>
    readParts(Buffer.from(`${fields}\n\n${body}`, 'latin1')).parts[0]?.text;
  assert.equal(text('Content-Transfer-Encoding: base64', 'SGk=\n'), 'Hi');
  assert.equal(
    text('Content-Type: text/plain; charset=iso-2022-jp', '\x1b$B%a\x1b(B a@b.example'),
    'メ a@b.example',
  );
  assert.equal(text('Content-Type: text/plain; charset=no-such', 'a@b.example'), 'a@b.example');
  assert.equal(text('Content-Transfer-Encoding: QUOTED-PRINTABLE', 'a=0D=0Ab =\nc =ZZ'), 'a\nb c =ZZ');
});

test('parameters with and without quotes', () => {
  assert.equal(parameter('a/b; charset=utf-8; boundary="x;\\"y"', 'charset'), 'utf-8');
  assert.equal(parameter('a/b; BOUNDARY = x', 'boundary'), 'x');
  assert.equal(parameter('a/b', 'boundary'), '');
});

test('fields: folded, with empty bodies, among lines that are none', () => {
  assert.deepEqual(fieldsIn('From x\nA: 1\n  2\nB:\n 3\nno field\n:\nC: 4'), [
    { name: 'a', body: '1 2' },
    { name: 'b', body: '3' },
    { name: 'c', body: '4' },
  ]);
  assert.deepEqual(readFields('\nbody'), { fields: [], rest: 'body' });
  assert.equal(linesOf('a\r\nb\rc\nd\r\r\ne'), 'a\nb\nc\nd\ne');
});

test('any bytes are read without a fault', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
      const { parts } = readParts(Buffer.from(bytes));
      for (const part of parts) readDeliveryStatus(part.text);
      return parts.length >= 1;
    }),
  );
});
