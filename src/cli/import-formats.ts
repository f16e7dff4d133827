/** Formats of logs that can be imported: of mail systems, and of services whose API is spoken. */
import { dialects } from '../dialects/dialects.ts';
import { logFormats } from '../imports/imports.ts';
import type { LogFormat } from '../imports/record.ts';

export const importFormats: readonly LogFormat[] = [
  ...logFormats,
  ...dialects.flatMap(({ logFormat }) => (logFormat === undefined ? [] : [logFormat])),
];
