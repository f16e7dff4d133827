/** Our delivery status notifications as Python's email package reads them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { composeDsn, type DsnRecipient, type DsnReport } from '../../src/protocol/dsn/compose.ts';
import { peerCommand, skipWithout } from '../support/environment.ts';

const skip = skipWithout('python3');

/** Reads a mail and says what it found, defects that the parser noticed among it. */
const program = `
import email, json, sys
from email import policy
mail = email.message_from_binary_file(sys.stdin.buffer, policy=policy.default)
parts = mail.get_payload()
words, report, returned = parts
def fields(block):
    return [[name, str(value)] for name, value in block.items()]
print(json.dumps({
    'type': mail.get_content_type(),
    'reportType': mail.get_param('report-type'),
    'defects': [str(defect) for part in mail.walk() for defect in part.defects],
    'autoSubmitted': mail['Auto-Submitted'],
    'types': [part.get_content_type() for part in parts],
    'words': words.get_content(),
    'blocks': [fields(block) for block in report.get_payload()] if report.get_content_type() == 'message/delivery-status' else [],
    'returned': returned.get_content() if returned.get_content_maintype() == 'text' else returned.get_payload(0).as_bytes().decode('utf-8'),
}))
`;

interface Found {
  type: string;
  reportType: string;
  defects: string[];
  autoSubmitted: string;
  types: string[];
  words: string;
  blocks: [name: string, body: string][][];
  returned: string;
}

function readByPython(content: Buffer): Found {
  const { status, stdout, stderr } = spawnSync(peerCommand('python3'), ['-I', '-c', program], {
    input: content,
    timeout: 60_000,
  });
  assert.equal(status, 0, stderr.toString());
  return JSON.parse(stdout.toString()) as Found;
}

const failed: DsnRecipient = {
  finalRecipient: 'b@example.org',
  originalRecipient: { type: 'rfc822', address: 'B+old@example.net' },
  action: 'failed',
  status: '5.1.1',
  diagnostic: { type: 'smtp', text: `550 5.1.1 ${'no such user here, '.repeat(10)}Grüße` },
  remoteMta: 'mx.example.org',
  lastAttemptAt: Date.UTC(2026, 10, 22, 10),
  willRetryUntil: null,
};

const report: DsnReport = {
  reportingMta: 'relay.acme.test',
  arrivalAt: Date.UTC(2026, 10, 22, 9),
  now: Date.UTC(2026, 10, 22, 10),
  envelopeId: 'QQ314159',
  to: 'app@acme.test',
  recipients: [
    failed,
    {
      ...failed,
      originalRecipient: null,
      finalRecipient: 'c@example.org',
      action: 'delayed',
      status: '4.2.2',
    },
  ],
  returned: { headers: Buffer.from('Subject: Grüße\r\nX-Folded: a\r\n b\r\n') },
  messageId: 'n1@relay.acme.test',
  inReplyTo: 'm1@acme.test',
};

test('a report with header sections: structure, words, fields of each recipient', { skip }, () => {
  const found = readByPython(composeDsn(report));
  assert.deepEqual(found.defects, []);
  assert.equal(found.type, 'multipart/report');
  assert.equal(found.reportType, 'delivery-status');
  assert.equal(found.autoSubmitted, 'auto-replied');
  assert.deepEqual(found.types, ['text/plain', 'message/delivery-status', 'text/rfc822-headers']);
  assert.match(found.words, /<b@example\.org>\n[\s\S]*no such user here,[\s\S]*Grüße/);
  const [mail, ...recipients] = found.blocks.map((block) => new Map(block));
  assert.equal(mail?.get('Original-Envelope-Id'), 'QQ314159');
  assert.equal(mail.get('Reporting-MTA'), 'dns; relay.acme.test');
  assert.deepEqual(
    recipients.map((one) => [one.get('Final-Recipient'), one.get('Action'), one.get('Status')]),
    [
      ['rfc822; b@example.org', 'failed', '5.1.1'],
      ['rfc822; c@example.org', 'delayed', '4.2.2'],
    ],
  );
  assert.equal(recipients[0]?.get('Original-Recipient'), 'rfc822; B+old@example.net');
  assert.match(found.returned, /Subject: Grüße\r?\nX-Folded: a\r?\n b\r?\n/);
});

test('a whole 8-bit mail is found inside', { skip }, () => {
  const content = Buffer.from(
    'Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n',
  );
  const found = readByPython(composeDsn({ ...report, returned: { content } }));
  assert.deepEqual(found.defects, []);
  assert.deepEqual(found.types, ['text/plain', 'message/delivery-status', 'message/rfc822']);
  assert.match(found.returned, /^Subject: x\n[\s\S]*Grüße/);
});

test('an international report has the types of RFC 6533', { skip }, () => {
  const recipients = [{ ...failed, finalRecipient: 'jörg@bücher.example' }];
  const content = Buffer.from('Subject: Grüße\r\n\r\nHello\r\n');
  const found = readByPython(composeDsn({ ...report, recipients, returned: { content } }));
  assert.equal(found.reportType, 'global-delivery-status');
  assert.deepEqual(found.types, ['text/plain', 'message/global-delivery-status', 'message/global']);
  assert.match(found.words, /<jörg@bücher\.example>/);
});
