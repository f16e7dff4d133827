import assert from 'node:assert/strict';
import test from 'node:test';
import {
  automaticSubjects,
  bounceSenders,
  bounceSubjects,
  bounceWords,
  type LineRule,
  recipientLines,
  returnedMarks,
  stageWords,
} from './report-formats.ts';
import { replyIn, stageIn, toldRecipients } from './report-text.ts';
import { ownWords } from './report-words.ts';

const tables: Record<string, readonly LineRule[]> = {
  bounceSenders,
  bounceSubjects,
  bounceWords,
  automaticSubjects,
  returnedMarks,
};
for (const [name, rules] of Object.entries(tables)) {
  for (const rule of rules) {
    test(`${name}: ${rule.means}`, () => {
      assert.ok(rule.examples.length > 0, 'a rule stands on lines that were seen');
      for (const line of rule.examples) assert.match(line, rule.line);
    });
  }
}

for (const rule of recipientLines) {
  test(`recipient: ${rule.means}`, () => {
    for (const line of rule.examples) {
      const first = recipientLines.find((one) => one.line.test(line));
      assert.equal(first?.means, rule.means, line);
      assert.match(toldRecipients(line, [])[0]?.address ?? '', /^(?:b|list)@example\.org$/, line);
    }
  });
}

for (const rule of stageWords) {
  test(`stage: ${rule.means}`, () => {
    for (const line of rule.examples) assert.equal(stageIn(line), rule.stage, line);
  });
}

for (const rule of ownWords) {
  test(`own words: ${rule.means}`, () => {
    for (const text of rule.examples) {
      assert.equal(ownWords.find((one) => one.text?.test(text))?.means, rule.means, text);
    }
  });
}

const noRecipients = [
  'For further assistance, please contact <support@example.org>',
  'If you have questions, write to postmaster@example.org!',
  'From: a@example.net',
  'The original message was received at Thu, 29 Apr 2010 23:34:45 +0900 from a@example.net',
];
for (const line of noRecipients) {
  test(`no recipient: ${line}`, () => assert.deepEqual(toldRecipients(line, []), []));
}

test('what is no mark of a returned message', () => {
  for (const line of [
    'The original message was received at Thu, 29 Apr 2010',
    '   ----- Transcript of session follows -----',
  ]) {
    assert.ok(
      returnedMarks.every((rule) => !rule.line.test(line)),
      line,
    );
  }
});

const replies: [text: string, code: number, status: string, rest: string][] = [
  [
    'Remote host said: 550 5.1.1 <b@example.org>... User Unknown',
    550,
    '5.1.1',
    '<b@example.org>... User Unknown',
  ],
  ['host mx [192.0.2.1]: 550-Rejected\n550 for a reason', 550, '', 'Rejected 550 for a reason'],
  ['554 554 5.7.1 Service unavailable', 554, '5.7.1', 'Service unavailable'],
  ["Remote Server returned '550 5.1.1 not found'", 550, '5.1.1', "not found'"],
  ['550 #5.1.0 Address rejected.', 550, '5.1.0', 'Address rejected.'],
  ['ERROR_CODE :421, ERROR_CODE :, Host not reachable.', 421, '', 'Host not reachable.'],
  ['550: <b@example.org>: User unknown', 550, '', '<b@example.org>: User unknown'],
  ['552 sorry, over quota temporarily (#5.1.1)', 552, '5.1.1', 'sorry, over quota temporarily (#5.1.1)'],
  ["Sorry, I couldn't find any host. (#5.1.2)", 0, '5.1.2', "Sorry, I couldn't find any host. (#5.1.2)"],
  ['connect to mx[192.0.2.450]:25: timed out', 0, '', 'connect to mx[192.0.2.450]:25: timed out'],
  ['Exim 4.72 at 10:550, http://example.org/550 x', 0, '', 'Exim 4.72 at 10:550, http://example.org/550 x'],
];
for (const [text, code, status, rest] of replies) {
  test(`reply in: ${text.replace('\n', ' ')}`, () =>
    assert.deepEqual(replyIn(text), { code, status, text: rest }));
}

test('each recipient has what is said of it', () => {
  const told = toldRecipients(
    '<b@example.org>:\n550 unknown\n\n<c@example.org>:\n552 full\n<B@example.org>: again',
    [],
  );
  assert.deepEqual(
    told.map(({ address, text }) => [address, replyIn(text).code]),
    [
      ['b@example.org', 550],
      ['c@example.org', 552],
    ],
  );
});

test('in a transcript the reason stands before the recipient', () => {
  const transcript =
    'While talking to mx.example.org:\n>>> RCPT To:<b@example.org>\n<<< 550 no\n550 <b@example.org>... User unknown\n' +
    '421 mx.example.net... Deferred\nWhile talking to mx.example.com:\n<<< 452 full\n554 <c@example.com>... Remote protocol error';
  const told = toldRecipients(transcript, []);
  assert.deepEqual(
    told.map(({ address, text }) => [address, replyIn(text).code]),
    [
      ['b@example.org', 550],
      ['c@example.com', 452],
    ],
  );
});
