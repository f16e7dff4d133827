/**
 * What we read in reports that were really sent, against what another reader of many years' experience reads in them.
 * The two differ in opinion here and there (what was "filtered", what is "expired"), so the shares are asserted, not
 * each row; every difference is printed.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { readReport } from '../../src/relay/receive-report.ts';
import { skipWithoutTestdata, testdataFolder } from '../support/environment.ts';
import { bounces, complaints, type ExpectedRecipient, readSamples, type Sample } from './corpus.ts';

interface Share {
  rows: number;
  misses: string[];
}

function percentage({ rows, misses }: Share): number {
  return (100 * (rows - misses.length)) / rows;
}

/** Replies of people's programs, which we do not call reports. */
function isReply({ reason }: ExpectedRecipient): boolean {
  return reason === 'vacation';
}

function compare(samples: readonly Sample[]): Record<'recipient' | 'class' | 'hard', Share> {
  const shares = {
    recipient: { rows: 0, misses: [] },
    class: { rows: 0, misses: [] },
    hard: { rows: 0, misses: [] },
  };
  const count = (share: Share, miss: string | null) => {
    share.rows += 1;
    if (miss !== null) share.misses.push(miss);
  };
  for (const { file, content, expected } of samples) {
    const { recipients } = readReport(content);
    for (const [at, row] of expected.entries()) {
      if (isReply(row)) continue;
      const found = recipients[at];
      const name = `${file} ${at + 1} (${row.reason} ${row.status})`;
      const isFound = found !== undefined && /^\S+@[^\s@<>|]+$/.test(found.finalRecipient);
      count(shares.recipient, isFound ? null : `${name}: ${found?.finalRecipient ?? 'none'}`);
      if (row.feedbackType !== '') continue;
      const digit = found === undefined ? 'none' : String(found.class);
      const wanted = /^[45]/.exec(row.status)?.[0] ?? 'null';
      count(shares.class, digit === wanted ? null : `${name}: ${digit} ${found?.status}`);
      count(shares.hard, found?.hard === row.hard ? null : `${name}: ${found?.hard} ${found?.reason}`);
    }
  }
  return shares;
}

test('bounces in free form and by the standard', { skip: skipWithoutTestdata(bounces) }, async (t) => {
  const samples = readSamples();
  assert.ok(samples.length > 300);
  const shares = compare(samples);
  for (const [what, atLeast] of [
    ['recipient', 95],
    ['class', 95],
    ['hard', 90],
  ] as const) {
    await t.test(`${what}: at least ${atLeast} %`, (t) => {
      const share = shares[what];
      t.diagnostic(`${what}: ${percentage(share).toFixed(1)} % of ${share.rows}`);
      for (const miss of share.misses) t.diagnostic(`  ${miss}`);
      assert.ok(percentage(share) >= atLeast);
    });
  }
  await t.test('no recipient that nobody expects', () => {
    const others = samples.filter(({ expected }) => expected.length > 0 && !expected.some(isReply));
    const extra = others.filter(
      ({ content, expected }) => readReport(content).recipients.length > expected.length,
    );
    assert.deepEqual(
      extra.map(({ file }) => file),
      [],
    );
  });
  await t.test('policy, reputation and spam never suppress an address', () => {
    const policies =
      /^(?:blocked|badreputation|spamdetected|policyviolation|authfailure|requireptr|virusdetected|norelaying|securityerror|speeding|toomanyconn|mailboxfull|expired)$/;
    const suppressed = samples.flatMap(({ file, content, expected }) => {
      const { recipients } = readReport(content);
      return expected.flatMap(({ reason }, at) =>
        policies.test(reason) && recipients[at]?.suppress ? [file] : [],
      );
    });
    assert.deepEqual(suppressed, []);
  });
  await t.test('replies of programs are no reports, complaints are', () => {
    for (const { file, content, expected } of samples) {
      const { kind } = readReport(content);
      if (expected.some(isReply)) assert.equal(kind, 'none', file);
      if (expected.some(({ feedbackType }) => feedbackType !== '')) assert.equal(kind, 'feedback', file);
    }
  });
  await t.test('line ends make no difference', () => {
    const lf = new Map(samples.map(({ file, content }) => [file, readReport(content)]));
    for (const [file, report] of lf)
      assert.deepEqual(report, lf.get(file.replace(/^messages-crl?f?\//, 'messages/')) ?? report, file);
  });
});

test('feedback reports of another reader', { skip: skipWithoutTestdata(complaints) }, () => {
  const folder = join(testdataFolder(complaints), 'mail-auth');
  const files = readdirSync(folder).filter((name) => name.endsWith('.eml'));
  assert.ok(files.length >= 5);
  for (const file of files) {
    const expected = JSON.parse(readFileSync(join(folder, file.replace('.eml', '.json')), 'utf8'));
    const { kind, recipients } = readReport(readFileSync(join(folder, file)));
    assert.equal(kind, 'feedback', file);
    const type = String(expected.feedback_type)
      .replace(/(?<=[a-z])(?=[A-Z])/g, '-')
      .toLowerCase();
    assert.deepEqual(new Set(recipients.map(({ action }) => action)), new Set([type]), file);
    const recipient = String(expected.original_rcpt_to ?? '').replace(/[<>]/g, '');
    if (recipient !== '')
      assert.deepEqual(
        recipients.map(({ finalRecipient }) => finalRecipient),
        [recipient],
        file,
      );
  }
});
