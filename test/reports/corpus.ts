/** Reports that others collected, with what they read in them. Not in the repository; see docs/testing.md. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { testdataFolder } from '../support/environment.ts';

export const bounces = 'bounce-sisimai-a';
export const complaints = 'arf-a';

export interface ExpectedRecipient {
  status: string;
  reason: string;
  hard: boolean;
  feedbackType: string;
}

export interface Sample {
  /** `messages-cr/x.eml` */
  file: string;
  content: Buffer;
  /** Empty: the collectors expect nothing of it. */
  expected: ExpectedRecipient[];
}

/** All messages, in all variants of line ends. */
export function readSamples(): Sample[] {
  const folder = testdataFolder(bounces);
  const expected = readExpected(join(folder, 'expected.tsv'));
  return ['messages', 'messages-cr', 'messages-crlf'].flatMap((variant) =>
    readdirSync(join(folder, variant)).map((name) => ({
      file: `${variant}/${name}`,
      content: readFileSync(join(folder, variant, name)),
      expected: expected.get(name) ?? [],
    })),
  );
}

/** Columns: file, number in it (0: nothing is expected), status, reply code, reason, hard, feedback type, source. */
function readExpected(file: string): Map<string, ExpectedRecipient[]> {
  const rows = new Map<string, ExpectedRecipient[]>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [name = '', n, status = '', , reason = '', hard, feedbackType = ''] = line.split('\t');
    if (line === '' || line.startsWith('#') || n === '0') continue;
    rows.set(name, [...(rows.get(name) ?? []), { status, reason, hard: hard === 'true', feedbackType }]);
  }
  return rows;
}
