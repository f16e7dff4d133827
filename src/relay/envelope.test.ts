import assert from 'node:assert/strict';
import test from 'node:test';
import { type ForwardPathOptions, noMailOptions } from '../protocol/smtp/envelope-options.ts';
import { envelopeOf } from './envelope.ts';
import type { Submission } from './submission.ts';

function envelopeFor(more: Partial<Submission>, ...forwardPaths: string[]) {
  const submission = { content: Buffer.from('Subject: x\r\n\r\nü\r\n'), ...more } as Submission;
  return envelopeOf(
    submission,
    forwardPaths.map((forwardPath, index) => ({ n: index + 1, forwardPath })),
  );
}

test('nothing asked for, nothing kept', () => {
  assert.deepEqual(envelopeFor({}, 'a@b'), { options: null, forwardPathOptions: new Map() });
  assert.equal(envelopeFor({ options: { ...noMailOptions } }).options, null);
  const plain: ForwardPathOptions = { notify: [], orcpt: '' };
  assert.equal(
    envelopeFor({ forwardPathOptions: new Map([['a@b', plain]]) }, 'a@b').forwardPathOptions.size,
    0,
  );
});

test('SMTPUTF8 is kept for a header section that needs it', () => {
  const options = { ...noMailOptions, smtpUtf8: true };
  assert.equal(envelopeFor({ options }).options, null);
  const content = Buffer.from('Subject: ü\r\n\r\nx\r\n');
  assert.deepEqual(envelopeFor({ options, content }).options, options);
  assert.equal(envelopeFor({ content }).options, null);
  assert.deepEqual(envelopeFor({ options, content: Buffer.from('Subject: ü') }).options, options);
});

test('options of forward-paths go by their numbers', () => {
  const never: ForwardPathOptions = { notify: ['NEVER'], orcpt: '' };
  const { forwardPathOptions } = envelopeFor({ forwardPathOptions: new Map([['c@d', never]]) }, 'a@b', 'c@d');
  assert.deepEqual([...forwardPathOptions], [[2, never]]);
});
