/** Conversations and byte sequences kept beside the repository, from other projects. */
import { existsSync, readFileSync } from 'node:fs';
import { inCi } from '../support/environment.ts';

const folder = new URL('../../../shared/testdata/smtp-a/', import.meta.url);

/** The `skip` option of a test that needs them; in CI it runs and fails instead. */
export const skipWithoutTestdata: string | false =
  existsSync(folder) || inCi() ? false : '../shared/testdata/smtp-a is not beside the repository';

export function testdata(file: string): string {
  return readFileSync(new URL(file, folder), 'utf8');
}
