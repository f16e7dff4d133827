import assert from 'node:assert/strict';
import test from 'node:test';
import { type ReportedRecipient, readReport } from './receive-report.ts';

function read(...lines: string[]) {
  return readReport(Buffer.from(lines.join('\r\n')));
}

function dsn(...fields: string[]): ReportedRecipient {
  const { kind, recipients } = read(
    'From: MAILER-DAEMON@mx.example.net',
    'Content-Type: multipart/report; report-type=delivery-status; boundary=x',
    '',
    '--x',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example.net',
    '',
    ...fields,
    '--x--',
  );
  assert.equal(kind, 'dsn');
  assert.equal(recipients.length, 1);
  assert.ok(recipients[0]);
  return recipients[0];
}

const failed = ['Final-Recipient: rfc822; b@example.org', 'Action: failed'];

test('a delivery status notification, with every member', () => {
  const recipient = dsn(
    'Original-Recipient: rfc822; c@example.org',
    ...failed,
    'Status: 5.1.1',
    'Diagnostic-Code: smtp; 550 5.1.1 <b@example.org>: User unknown',
  );
  assert.deepEqual(Object.entries(recipient), [
    ['finalRecipient', 'b@example.org'],
    ['originalRecipient', 'c@example.org'],
    ['action', 'failed'],
    ['status', '5.1.1'],
    ['class', 5],
    ['hard', true],
    ['reason', 'bounce'],
    ['suppress', true],
  ]);
});

const verdicts: [diagnostic: string, status: string, expected: string][] = [
  ['smtp; 550 5.1.1 no such user', '5.1.1', '5 hard bounce suppress'],
  ['smtp; 550 User unknown', '5.0.0', '5 hard bounce suppress'],
  ['smtp; 550 5.7.1 Blocked, see https://zen.spamhaus.org/', '5.7.1', '5 soft espblock keep'],
  ['smtp; 550 5.7.1 Blocked, see https://zen.spamhaus.org/', '5.1.1', '5 soft espblock keep'],
  ['smtp; 554 5.7.9 Message not accepted for policy reasons', '5.7.9', '5 soft espblock keep'],
  ['smtp; 550 5.7.26 does not pass DMARC', '5.7.26', '5 soft espblock keep'],
  ['smtp; 550 5.7.1 550 User unknown', '5.0.0', '5 soft bounce keep'],
  ['smtp; 552 5.2.2 Mailbox full', '5.2.2', '5 soft mailbox-full keep'],
  ['smtp; 552 sorry, mailbox is over quota (#5.1.1)', '5.1.1', '5 soft mailbox-full keep'],
  ['smtp; 550 5.2.1 The email account that you tried to reach is disabled.', '5.2.1', '5 soft bounce keep'],
  ['smtp; 450 4.1.1 User unknown in virtual alias table', '4.1.1', '4 soft bounce keep'],
  ['smtp; 452 4.3.2 Connection rate limit exceeded.', '4.3.2', '4 soft rate-limited keep'],
  ['smtp; 552 5.3.4 Message too big', '5.3.4', '5 soft generic keep'],
  ['smtp; 550 5.4.4 Invalid domain', '5.4.4', '5 hard no-mx suppress'],
  [
    'X-Postfix; Host or domain name not found. Name service error for name=example.org type=A: Host not found',
    '5.4.4',
    '5 hard no-mx suppress',
  ],
  [
    'X-Postfix; Name service error for domain example.org: Host not found, try again',
    '4.4.3',
    '4 soft dns keep',
  ],
  [
    'X-Postfix; connect to mx.example.org[192.0.2.1]:25: Connection timed out',
    '4.4.1',
    '4 soft connect keep',
  ],
  ['smtp; 554 4.4.7 Message expired', '4.4.7', '4 soft old keep'],
  ['smtp; 550 5.1.10 example.org accepts no mail (nullMX)', '5.1.10', '5 hard bounce suppress'],
  ['smtp; 550 Rejected', '5.0.0', '5 soft bounce keep'],
];
for (const [diagnostic, status, expected] of verdicts) {
  test(`verdict: ${diagnostic} (${status})`, () => {
    const found = dsn(...failed, `Status: ${status}`, `Diagnostic-Code: ${diagnostic}`);
    const { hard, reason, suppress } = found;
    assert.equal(
      `${found.class} ${hard ? 'hard' : 'soft'} ${reason} ${suppress ? 'suppress' : 'keep'}`,
      expected,
    );
  });
}

test('what was delivered, and what is only late, is no bounce', () => {
  const pick = ({ action, class: digit, hard, suppress }: ReportedRecipient) => [
    action,
    digit,
    hard,
    suppress,
  ];
  const one = (action: string, status: string) =>
    pick(dsn('Final-Recipient: rfc822; b@example.org', `Action: ${action}`, `Status: ${status}`));
  assert.deepEqual(one('delivered', '2.0.0'), ['delivered', null, false, false]);
  assert.deepEqual(one('relayed', '2.0.0'), ['relayed', null, false, false]);
  assert.deepEqual(one('expanded', '2.0.0'), ['expanded', null, false, false]);
  assert.deepEqual(one('delayed', '4.4.1'), ['delayed', 4, false, false]);
  assert.deepEqual(one('delayed', '5.1.1'), ['delayed', 5, false, false]);
});

test('"user unknown" behind the content is a filter, unless every forward-path was refused', () => {
  const transcript = (...lines: string[]) =>
    read(
      'From: Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>',
      'Subject: Returned mail: see transcript for details',
      '',
      '   ----- The following addresses had permanent fatal errors -----',
      '<b@example.org>',
      '    (reason: 550 Unknown user b@example.org)',
      '',
      '   ----- Transcript of session follows -----',
      '... while talking to mx.example.org.:',
      '>>> DATA',
      ...lines,
    ).recipients.map(({ hard }) => hard);
  assert.deepEqual(transcript('<<< 550 Unknown user b@example.org', '554 5.0.0 Service unavailable'), [
    false,
  ]);
  assert.deepEqual(
    transcript(
      '<<< 550 Unknown user b@example.org',
      '550 5.1.1 <b@example.org>... User unknown',
      '<<< 503 Need RCPT',
    ),
    [true],
  );
});

test('a bounce in free form names its recipients in order, each with its reason', () => {
  const { kind, recipients } = read(
    'Return-Path: <>',
    'From: MAILER-DAEMON@mx.example.net',
    'To: a@example.net',
    'Subject: failure notice',
    '',
    'Hi. This is the qmail-send program at mx.example.net.',
    "I'm afraid I wasn't able to deliver your message to the following addresses.",
    '',
    '<b@example.org>:',
    'Remote host said: 550 5.1.1 User unknown',
    '',
    '<c@example.org>:',
    'Remote host said: 552 5.2.2 Mailbox full',
    '',
    '--- Below this line is a copy of the message.',
    '',
    'Return-Path: <a@example.net>',
    'To: d@example.org',
  );
  assert.equal(kind, 'dsn');
  assert.deepEqual(
    recipients.map(({ finalRecipient, hard, reason }) => [finalRecipient, hard, reason]),
    [
      ['b@example.org', true, 'bounce'],
      ['c@example.org', false, 'mailbox-full'],
    ],
  );
});

test('a report without words takes the recipient of the message that came back, if there is one only', () => {
  const bounce = (to: string) =>
    read(
      'From: MAILER-DAEMON@mx.example.net',
      'Subject: Undelivered Mail Returned to Sender',
      'Content-Type: multipart/report; boundary=x',
      '',
      '--x',
      '',
      'Delivery report unavailable.',
      '--x',
      'Content-Type: message/rfc822',
      '',
      `To: ${to}`,
      '--x--',
    ).recipients.map(({ finalRecipient }) => finalRecipient);
  assert.deepEqual(bounce('b@example.org'), ['b@example.org']);
});

test('what people and their programs write is no report', () => {
  const none = { kind: 'none', recipients: [] };
  const mails: string[][] = [
    [
      'From: b@example.org',
      'Subject: Automatic reply: hello',
      'Auto-Submitted: auto-replied',
      '',
      'I am away; write to c@example.org',
    ],
    [
      'Return-Path: <>',
      'From: MAILER-DAEMON@example.org',
      'Subject: Out of office: hello',
      '',
      'c@example.org',
    ],
    [
      'Return-Path: <>',
      'From: b@example.org',
      'Subject: hello',
      'Auto-Submitted: auto-replied',
      '',
      'c@example.org',
    ],
    [
      'From: b@example.org',
      'Subject: a question',
      '',
      'My mail could not be delivered:',
      '<c@example.org>: 550 5.1.1 User unknown',
    ],
    ['From: postmaster@example.org', 'Subject: planned work', '', 'The servers rest on Sunday.'],
    ['', ''],
    ['x'],
  ];
  for (const mail of mails) assert.deepEqual(read(...mail), none, mail.join(' | '));
});

test('only the report counts, not a report that came back with it', () => {
  const { recipients } = read(
    'From: MAILER-DAEMON@mx.example.net',
    'Content-Type: multipart/report; boundary=x',
    '',
    '--x',
    'Content-Type: message/delivery-status',
    '',
    ...failed,
    'Status: 5.1.1',
    '--x',
    'Content-Type: message/rfc822',
    '',
    'Content-Type: message/delivery-status',
    '',
    'Final-Recipient: rfc822; victim@example.org',
    'Action: failed',
    'Status: 5.1.1',
    '--x--',
  );
  assert.deepEqual(
    recipients.map(({ finalRecipient }) => finalRecipient),
    ['b@example.org'],
  );
});

function complaint(...fields: string[]) {
  return read(
    'Content-Type: multipart/report; report-type=feedback-report; boundary=x',
    '',
    '--x',
    'Content-Type: message/feedback-report',
    '',
    ...fields,
    '--x',
    'Content-Type: text/rfc822-headers',
    '',
    'To: b@example.org',
    '--x--',
  );
}

test('a complaint suppresses; a report about authentication, or that it is no spam, does not', () => {
  const rows: [type: string, reason: string | null, suppress: boolean][] = [
    ['abuse', 'suppress-complaint', true],
    ['fraud', 'suppress-complaint', true],
    ['opt-out', 'suppress-unsubscribe', true],
    ['not-spam', null, false],
    ['auth-failure', null, false],
    ['virus', null, false],
    ['constructor', null, false],
  ];
  for (const [type, reason, suppress] of rows) {
    const { kind, recipients } = complaint(`Feedback-Type: ${type}`, 'Original-Rcpt-To: <c@example.org>');
    assert.equal(kind, 'feedback');
    const expected = { finalRecipient: 'c@example.org', originalRecipient: null, action: type, status: null };
    assert.deepEqual(recipients, [{ ...expected, class: null, hard: false, reason, suppress }]);
  }
});

test('a complaint that names nobody is about whom the message was to', () => {
  assert.equal(complaint('Feedback-Type: abuse').recipients[0]?.finalRecipient, 'b@example.org');
});

test('a notification as JSON, folded by a mailer', () => {
  const message = JSON.stringify({
    notificationType: 'Bounce',
    bounce: {
      bounceType: 'Permanent',
      bouncedRecipients: [
        {
          emailAddress: 'b@example.org',
          action: 'failed',
          status: '5.1.1',
          diagnosticCode: 'smtp; 550 5.1.1 user unknown',
        },
      ],
    },
  });
  const folded = JSON.stringify({ Type: 'Notification', Message: message }).replace(
    'Permanent',
    'Perma\r\n nent',
  );
  const { recipients } = read(
    'From: no-reply@sns.amazonaws.com',
    '',
    folded,
    '',
    '--',
    'If you wish to stop',
  );
  assert.deepEqual(
    recipients.map(({ finalRecipient, hard }) => [finalRecipient, hard]),
    [['b@example.org', true]],
  );
  for (const text of [
    '{"notificationType":"Bounce","bounce":{"__proto__":1,"bouncedRecipients":[null,1,"x",{}]}}',
    '{"notificationType":',
    '{}',
  ])
    assert.doesNotThrow(() => read('', text));
});
