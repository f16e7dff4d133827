import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { limits } from '../../base/limits.ts';
import { composeDsn, type DsnRecipient, type DsnReport } from './compose.ts';
import { oneLine, quotedPrintable, wrap } from './compose-text.ts';
import { type Action, readDeliveryStatus } from './dsn.ts';
import { isReturned, parameter, readParts } from './parts.ts';
import { bodyOf } from './report-fields.ts';

const hour = 60 * 60_000;
const arrivalAt = 773_340_262_000;

const louisl: DsnRecipient = {
  finalRecipient: 'louisl@larry.slip.umd.edu',
  originalRecipient: { type: 'rfc822', address: 'louisl@larry.slip.umd.edu' },
  action: 'failed',
  status: '4.4.1',
  diagnostic: { type: 'smtp', text: '426 connection timed out' },
  remoteMta: 'larry.slip.umd.edu',
  lastAttemptAt: arrivalAt + hour,
  willRetryUntil: null,
};

const report: DsnReport = {
  reportingMta: 'cs.utk.edu',
  arrivalAt,
  now: arrivalAt + 2 * hour,
  envelopeId: null,
  to: 'owner-info-mime@cs.utk.edu',
  recipients: [louisl],
  returned: { headers: Buffer.from('From: owner-info-mime@cs.utk.edu\r\nSubject: hello\r\n') },
  messageId: '199407072116.RAA14128@cs.utk.edu',
  inReplyTo: '',
};

function read(content: Buffer) {
  const whole = readParts(content);
  const [words, status, returned] = whole.parts;
  assert.equal(whole.parts.length, 3);
  assert.ok(words && status && returned && isReturned(returned));
  return { whole, words, status, returned, said: readDeliveryStatus(status.text) };
}

/** Without its own header section, with the boundary under one name. */
function golden(content: Buffer): string {
  const text = content.toString();
  const boundary = /boundary="([^"]+)"/.exec(text)?.[1] ?? '';
  return text.replaceAll(boundary, 'B').replaceAll('\r\n', '\n');
}

test('a failure, every byte of it', () => {
  const envelopeId = 'QQ314159';
  assert.equal(
    golden(composeDsn({ ...report, envelopeId, inReplyTo: 'first@cs.utk.edu' })),
    `Date: Mon, 04 Jul 1994 18:44:22 +0000
From: Mail Delivery System <MAILER-DAEMON@cs.utk.edu>
To: <owner-info-mime@cs.utk.edu>
Subject: Your mail could not be delivered
Message-ID: <199407072116.RAA14128@cs.utk.edu>
In-Reply-To: <first@cs.utk.edu>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
 boundary="B"

This is a report in MIME format.

--B
Content-Type: text/plain; charset=us-ascii
Content-Description: Notification

This is the mail server cs.utk.edu.

Your mail of Mon, 04 Jul 1994 16:44:22 +0000 could not be delivered to this
recipient, and will not be tried again:

  <louisl@larry.slip.umd.edu>
    larry.slip.umd.edu said:
      426 connection timed out
    What you can do: the server could not take the mail for too long. Send
    it again later.

Below follow a report for programs and the header section of your mail.

--B
Content-Type: message/delivery-status
Content-Description: Delivery report

Original-Envelope-Id: QQ314159
Reporting-MTA: dns; cs.utk.edu
Arrival-Date: Mon, 04 Jul 1994 16:44:22 +0000

Original-Recipient: rfc822; louisl@larry.slip.umd.edu
Final-Recipient: rfc822; louisl@larry.slip.umd.edu
Action: failed
Status: 4.4.1
Remote-MTA: dns; larry.slip.umd.edu
Diagnostic-Code: smtp; 426 connection timed out
Last-Attempt-Date: Mon, 04 Jul 1994 17:44:22 +0000

--B
Content-Type: text/rfc822-headers
Content-Description: Header section of the mail

From: owner-info-mime@cs.utk.edu
Subject: hello

--B--
`,
  );
});

const words: [what: string, recipient: Partial<DsnRecipient>, subject: string, expected: string][] = [
  [
    'a delay',
    { action: 'delayed', status: '4.4.1', willRetryUntil: arrivalAt + 120 * hour },
    'Your mail is delayed',
    `has not been delivered yet to
this recipient. This is only a warning: the mail is tried again, and you
need not send it once more.

  <louisl@larry.slip.umd.edu>
    larry.slip.umd.edu said:
      426 connection timed out
    It will be tried until Sat, 09 Jul 1994 16:44:22 +0000.
`,
  ],
  [
    'a mail passed on',
    { action: 'relayed', status: '2.0.0', diagnostic: { type: 'smtp', text: '250 OK' } },
    'Your mail was passed on',
    `was passed on for this
recipient. The next server does not report deliveries, so this may be the
last you hear of it:

  <louisl@larry.slip.umd.edu>
    larry.slip.umd.edu said:
      250 OK
`,
  ],
  [
    'a delivery',
    { action: 'delivered', status: '2.0.0', diagnostic: null },
    'Your mail was delivered',
    `was delivered to this
recipient, as you asked to be told:

  <louisl@larry.slip.umd.edu>

`,
  ],
  [
    'a list',
    { action: 'expanded', status: '2.0.0', diagnostic: null },
    'Your mail was passed on',
    `was passed on to the members of
a list. Nothing more will be reported about this recipient:
`,
  ],
  [
    'our own words, and another address than the one written to',
    {
      finalRecipient: 'b@x.example',
      status: '5.1.10',
      diagnostic: { type: 'x-waybill', text: 'the domain takes no mail' },
      remoteMta: null,
    },
    'Your mail could not be delivered',
    `
  <b@x.example>
    (addressed as <louisl@larry.slip.umd.edu>)
    Reason: the domain takes no mail
    What you can do: check the part of the address behind the "@": mail for
    it finds no server.
`,
  ],
];
for (const [what, recipient, subject, expected] of words) {
  test(`in words: ${what}`, () => {
    const { whole, words } = read(composeDsn({ ...report, recipients: [{ ...louisl, ...recipient }] }));
    assert.equal(bodyOf(whole.fields, 'subject'), subject);
    assert.ok(words.text.includes(expected), words.text);
  });
}

/** What the examples of RFC 3464 appendix E report, through composing and reading. */
const shapes: [what: string, recipients: Partial<DsnRecipient>[]][] = [
  ['E.1: one failure', [{}]],
  [
    'E.2: several recipients, each with a fate of its own',
    [
      {
        finalRecipient: 'arathib@vnet.ibm.com',
        status: '5.0.0',
        diagnostic: { type: 'smtp', text: "550 'arathib@vnet.IBM.COM' is not a registered gateway user" },
        remoteMta: 'vnet.ibm.com',
      },
      {
        finalRecipient: 'johnh@hpnjld.njd.hp.com',
        action: 'delayed',
        status: '4.0.0',
        diagnostic: { type: 'smtp', text: '426 hpnjld.njd.hp.com: host name lookup failure' },
        remoteMta: null,
      },
      {
        finalRecipient: 'wsnell@sdcc13.ucsd.edu',
        status: '5.0.0',
        diagnostic: { type: 'smtp', text: '550 user unknown' },
        remoteMta: 'sdcc13.ucsd.edu',
      },
    ],
  ],
  ['E.4: a delay', [{ action: 'delayed', status: '4.4.1', willRetryUntil: arrivalAt + 72 * hour }]],
];
for (const [what, recipients] of shapes) {
  test(`RFC 3464 ${what}`, () => {
    const given = recipients.map((recipient) => ({ ...louisl, originalRecipient: null, ...recipient }));
    const { said } = read(composeDsn({ ...report, recipients: given }));
    assert.equal(said?.reportingMta, 'cs.utk.edu');
    assert.deepEqual(
      said.recipients.map((one) => [
        one.finalRecipient,
        one.action,
        one.status,
        one.diagnostic,
        one.remoteMta,
      ]),
      given.map((one) => [
        one.finalRecipient,
        one.action,
        one.status,
        one.diagnostic?.text,
        one.remoteMta ?? '',
      ]),
    );
  });
}

test('many recipients: people are told of some, programs of all, and the report stays small', () => {
  const text = 'x '.repeat(5000);
  const recipients = Array.from({ length: 1000 }, (_, index) => ({
    ...louisl,
    originalRecipient: null,
    finalRecipient: `user${index}@example.org`,
    diagnostic: { type: 'smtp' as const, text },
  }));
  const content = composeDsn({ ...report, recipients });
  const { words, status } = read(content);
  assert.match(words.text, /these\s1000 recipients/);
  assert.match(words.text, /and 950 more/);
  assert.equal(status.text.match(/^Final-Recipient:/gm)?.length, 1000);
  assert.ok(content.length < 512 * 1024, `${content.length} bytes`);
});

test('an address that is not ASCII: the types of RFC 6533, in 8 bits', async () => {
  const recipients = [{ ...louisl, originalRecipient: null, finalRecipient: 'jörg@bücher.example' }];
  const headers = Buffer.from('Subject: Grüße\r\nTo: jörg@bücher.example\r\n');
  const content = composeDsn({ ...report, recipients, returned: { headers } });
  const { whole, said } = read(content);
  assert.equal(parameter(bodyOf(whole.fields, 'content-type'), 'report-type'), 'global-delivery-status');
  assert.equal(bodyOf(whole.fields, 'content-transfer-encoding'), '8bit');
  assert.deepEqual(
    whole.parts.map(({ type }) => type),
    ['text/plain', 'message/global-delivery-status', 'message/global-headers'],
  );
  assert.equal(said?.recipients[0]?.finalRecipient, 'jörg@bücher.example');
  assert.match(content.toString(), /\r\nFinal-Recipient: utf-8; jörg@bücher\.example\r\n/);
  assert.match((await PostalMime.parse(content)).text ?? '', /<jörg@bücher\.example>/);
  const whole2 = composeDsn({
    ...report,
    recipients,
    returned: { content: Buffer.concat([headers, Buffer.from('\r\nü\r\n')]) },
  });
  assert.equal(read(whole2).returned.type, 'message/global');
});

test('characters that break lines or hide stand encoded in an international address', () => {
  const originalRecipient = { type: 'utf-8', address: 'ö\u2028\u0085\r\nAction: delivered\ud800@x.example' };
  const content = composeDsn({ ...report, recipients: [{ ...louisl, originalRecipient }] });
  const field =
    'Original-Recipient: utf-8; ö\\x{2028}\\x{85}\\x{0D}\\x{0A}Action: delivered\\x{FFFD}@x.example\r\n';
  assert.ok(content.toString().includes(field), content.toString());
});

test('8-bit header sections of an ASCII report are encoded, whatever their characters', () => {
  for (const [headers, charset] of [
    [Buffer.from('Subject: Grüße\r\n'), 'utf-8'],
    [Buffer.from('Subject: Gr\u00fc\u00dfe\r\n', 'latin1'), 'unknown-8bit'],
  ] as const) {
    const content = composeDsn({ ...report, returned: { headers } });
    assert.doesNotMatch(content.toString('latin1'), /[^\x00-\x7f]/);
    const { returned } = read(content);
    assert.equal(returned.type, 'text/rfc822-headers');
    assert.equal(parameter(bodyOf(returned.fields, 'content-type'), 'charset'), charset);
    assert.match(returned.text, /Subject: Grüße\n/);
  }
});

test('a whole content comes back byte by byte, and is called 8-bit if it is', () => {
  for (const [body, encoding] of [
    ['Hello\r\n.\r\n--x\r\n\r\n', ''],
    ['Grüße ohne Zeilenende', '8bit'],
  ] as const) {
    const content = Buffer.from(`Subject: x\r\n\r\n${body}`);
    const dsn = composeDsn({ ...report, returned: { content } });
    assert.ok(dsn.includes(Buffer.concat([Buffer.from('\r\n\r\n'), content, Buffer.from('\r\n--=_')])));
    const { whole, returned } = read(dsn);
    assert.equal(returned.type, 'message/rfc822');
    assert.equal(bodyOf(returned.fields, 'content-transfer-encoding'), encoding);
    assert.equal(bodyOf(whole.fields, 'content-transfer-encoding'), encoding);
  }
});

for (const [what, body] of [
  ['too big', 'line\r\n'.repeat(limits.dsnContentBytes / 6)],
  ['NUL', 'a\0b\r\n'],
  ['bare CR', 'a\rb\r\n'],
  ['bare LF', 'a\nb\r\n'],
  ['an endless line', `${'x'.repeat(limits.textLineBytes - 1)}\r\n`],
] as const) {
  test(`of a content that cannot be returned, its header section is: ${what}`, () => {
    const content = Buffer.from(`Subject: x\r\n\r\n${body}`);
    const { returned, words } = read(composeDsn({ ...report, returned: { content } }));
    assert.deepEqual([returned.type, returned.text.trim()], ['text/rfc822-headers', 'Subject: x']);
    assert.match(words.text, /a report for programs and the header section of your mail\.$/m);
  });
}

test('header sections are cut between fields, and mended where no mail may have them', () => {
  const field = `X-Long: ${'x'.repeat(900)}\r\n\t${'y'.repeat(90)}\r\n`;
  const { returned } = read(composeDsn({ ...report, returned: { headers: Buffer.from(field.repeat(100)) } }));
  const count = Math.floor(limits.dsnHeaderBytes / field.length);
  assert.equal(returned.text.trimEnd(), field.repeat(count).replaceAll('\r\n', '\n').trimEnd());
  const headers = Buffer.from(`A: 1\0\r\n\r\nB: 2\rC: 3\n${'D'.repeat(2000)}\r\n`);
  const mended = read(composeDsn({ ...report, returned: { headers } })).returned.text.trimEnd();
  assert.equal(mended, `A: 1\nB: 2\nC: 3\n${'D'.repeat(998)}`);
  assert.equal(
    read(composeDsn({ ...report, returned: { headers: Buffer.alloc(0) } })).returned.text.trim(),
    '',
  );
});

test('a boundary that the content foresaw is not taken', () => {
  const content = Buffer.from('Subject: x\r\n\r\n');
  const boundaryIn = (dsn: Buffer) => /boundary="([^"]+)"/.exec(dsn.toString())?.[1] ?? '';
  const boundary = boundaryIn(composeDsn({ ...report, returned: { content } }));
  const foreseen = Buffer.concat([content, Buffer.from(`--${boundary}--\r\n`)]);
  const { returned, whole } = read(composeDsn({ ...report, returned: { content: foreseen } }));
  assert.ok(returned.text.includes(`--${boundary}--`));
  assert.notEqual(parameter(bodyOf(whole.fields, 'content-type'), 'boundary'), boundary);
});

test('what a server says can neither end a line nor a part nor the report', () => {
  const boundary = /boundary="([^"]+)"/.exec(composeDsn(report).toString())?.[1];
  for (const text of [
    '550 no\r\n\r\nFinal-Recipient: rfc822; other@x.example\r\nAction: delivered',
    `550\n--${boundary}--\n`,
    '550 \u202eevil\u2066\0\x1b[2J\x7f',
    'x'.repeat(100_000),
    '\ud800'.repeat(5000),
    '\u{1f600}'.repeat(5000),
    '',
    ' \r\n ',
  ]) {
    const hostile = { ...louisl, diagnostic: { type: 'smtp' as const, text }, remoteMta: `mx\r\nX: ${text}` };
    const content = composeDsn({ ...report, recipients: [hostile], inReplyTo: `a>\r\nX: y <b` });
    const { whole, said } = read(content);
    assert.deepEqual(
      whole.fields.map(({ name }) => name),
      ['date', 'from', 'to', 'subject', 'message-id', 'auto-submitted', 'mime-version', 'content-type'],
    );
    assert.deepEqual(
      said?.recipients.map((one) => [one.finalRecipient, one.action]),
      [[louisl.finalRecipient, 'failed']],
    );
    const body = content.toString().replaceAll('\r\n', '');
    assert.doesNotMatch(body, /[\x00-\x1f\x7f-\x9f\u202e\u2066\ufffd]/);
    for (const line of content.toString('latin1').split('\r\n')) assert.ok(line.length <= 998);
  }
});

test('a status that is none is one that fits the action', () => {
  for (const [action, status] of [
    ['failed', '5.0.0'],
    ['delayed', '4.0.0'],
    ['delivered', '2.0.0'],
    ['relayed', '2.0.0'],
    ['expanded', '2.0.0'],
  ] as const) {
    const { said } = read(composeDsn({ ...report, recipients: [{ ...louisl, action, status: '5.1\r\n' }] }));
    assert.equal(said?.recipients[0]?.status, status);
  }
});

const actions: readonly Action[] = ['failed', 'delayed', 'delivered', 'relayed', 'expanded'];
const localParts = fc.oneof(
  fc.stringMatching(/^[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,30}$/),
  fc.stringMatching(/^"[a-z@,;: ()]{1,20}"$/).filter((text) => !text.includes('  ')),
  fc.constantFrom('jörg', '用户', 'a\u0301', '\u{1f600}'),
);
const addresses = fc
  .tuple(localParts, fc.constantFrom('example.org', 'bücher.example', '[192.0.2.1]', 'xn--bcher-kva.example'))
  .map(([local, domain]) => `${local}@${domain}`);
const statuses = fc
  .tuple(fc.constantFrom(2, 4, 5), fc.nat(999), fc.nat(999))
  .map((numbers) => numbers.join('.'));
const anyText = fc.string({ unit: 'binary', maxLength: 300 });
const recipients: fc.Arbitrary<DsnRecipient> = fc.record({
  finalRecipient: addresses,
  originalRecipient: fc.option(
    fc.record({ type: fc.constantFrom('rfc822', 'utf-8', 'x400'), address: addresses }),
  ),
  action: fc.constantFrom(...actions),
  status: statuses,
  diagnostic: fc.option(
    fc.record({ type: fc.constantFrom('smtp' as const, 'x-waybill' as const), text: anyText }),
  ),
  remoteMta: fc.option(fc.constantFrom('mx.example.org', 'localhost')),
  lastAttemptAt: fc.option(fc.nat(2_000_000_000_000)),
  willRetryUntil: fc.option(fc.nat(2_000_000_000_000)),
});
const returned: fc.Arbitrary<DsnReport['returned']> = fc.oneof(
  fc.uint8Array({ maxLength: 2000 }).map((bytes) => ({ content: Buffer.from(bytes) })),
  fc.uint8Array({ maxLength: 2000 }).map((bytes) => ({ headers: Buffer.from(bytes) })),
  anyText.map((text) => ({ content: Buffer.from(`Subject: ${text}\r\n\r\n${text}\r\n`) })),
);

test('what is composed reads back the same, and no line is too long, whatever is said and returned', () => {
  fc.assert(
    fc.property(fc.array(recipients, { minLength: 1, maxLength: 8 }), returned, (given, back) => {
      const content = composeDsn({ ...report, recipients: given, returned: back, envelopeId: 'a+b=c' });
      const { said } = read(content);
      assert.equal(said?.originalEnvelopeId, 'a+b=c');
      assert.deepEqual(
        said.recipients.map((one) => [one.finalRecipient, one.originalRecipient, one.action, one.status]),
        given.map((one) => [
          one.finalRecipient,
          one.originalRecipient?.address ?? '',
          one.action,
          one.status,
        ]),
      );
      const lines = content.toString('latin1').split('\r\n');
      assert.ok(lines.every((line) => line.length <= 998 && !/[\r\n\0]/.test(line)));
    }),
    { numRuns: 300 },
  );
});

test('postal-mime finds the same words, report and returned mail', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(recipients, { minLength: 1, maxLength: 3 }), async (given) => {
      const content = composeDsn({
        ...report,
        recipients: given,
        returned: { content: Buffer.from('Subject: inner\r\n\r\nbody\r\n') },
      });
      const options = { forceRfc822Attachments: true };
      const mail = await PostalMime.parse(content, options);
      assert.equal(mail.from?.address, 'MAILER-DAEMON@cs.utk.edu');
      assert.equal(mail.to?.[0]?.address, report.to);
      for (const { finalRecipient } of given)
        assert.ok(mail.text?.includes(`<${finalRecipient}>`), mail.text ?? '');
      assert.match(mail.attachments[0]?.mimeType ?? '', /^message\/(?:global-)?delivery-status$/);
      const attached = Buffer.from(mail.attachments[0]?.content as ArrayBuffer).toString();
      assert.equal(readDeliveryStatus(attached.replaceAll('\r\n', '\n'))?.recipients.length, given.length);
      assert.match(mail.attachments[1]?.mimeType ?? '', /^message\/(?:rfc822|global)$/);
    }),
    { numRuns: 50 },
  );
});

test('quoted-printable is undone by its reader, in lines of 76', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600, size: 'max' }), (bytes) => {
      const text = Buffer.from(bytes)
        .toString('latin1')
        .replace(/[\r\n]+/g, '\r\n');
      const encoded = quotedPrintable(Buffer.from(text, 'latin1'));
      assert.ok(
        encoded.split('\r\n').every((line) => line.length <= 76 && !/[^\x20-\x7e]|[ \t]$/.test(line)),
      );
      for (const line of encoded.split('\r\n')) assert.match(line, /^(?:[^=]|=[0-9A-F]{2})*=?$/);
      const decoded = encoded
        .replace(/=\r\n/g, '')
        .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
      assert.equal(decoded, text);
    }),
  );
});

test('a word too long for a line is not cut within a character', () => {
  for (const start of ['', 'x', 'xy']) {
    const word = start + '\u{1f600}'.repeat(1000);
    const lines = wrap(word, '');
    assert.ok(lines.length > 1 && lines.every((line) => line.isWellFormed()));
    assert.equal(lines.join(''), word);
  }
});

test('wrapped lines hold every word; words too long for a line are cut between characters', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 600 })), (pieces) => {
      const text = oneLine(pieces.join(' '), 5000);
      const lines = wrap(text, '');
      assert.equal(lines.join('').replaceAll(' ', ''), text.replaceAll(' ', ''));
      assert.ok(lines.every((line) => line.isWellFormed() && Buffer.byteLength(line) <= 998));
    }),
  );
});
