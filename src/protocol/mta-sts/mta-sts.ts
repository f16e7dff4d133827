/**
 * MTA-STS as text (RFC 8461 §3.1, §3.2) and which hosts a policy names (§4.1). Pure, and strict: what is not written as
 * the grammar has it is no policy, so that nobody is held to a guess.
 */
import { limits } from '../../base/limits.ts';

export interface MtaStsPolicy {
  mode: 'enforce' | 'testing' | 'none';
  /** Host names in lower case; `*.example.com` stands for one label. Empty only with mode `none`. */
  mx: readonly string[];
  maxAgeSeconds: number;
}

const extensionField = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,31}=[\x21-\x3a\x3c\x3e-\x7e]+$/;
const idField = /^id=([a-zA-Z0-9]{1,32})$/;

/**
 * The id in the TXT records at `_mta-sts`; null if there is no policy. Other records do not count; of ours there must be
 * exactly one.
 */
export function parseMtaStsRecords(records: readonly string[]): string | null {
  const ours = records.filter((record) => record.startsWith('v=STSv1;'));
  return ours.length === 1 ? idOf(ours[0] ?? '') : null;
}

function idOf(record: string): string | null {
  const fields = record.split(/[ \t]*;[ \t]*/);
  if (fields.at(-1) === '') fields.pop();
  const more = fields.slice(1);
  if (!more.every((field) => idField.test(field) || extensionField.test(field))) return null;
  const first = more.find((field) => field.startsWith('id='));
  return idField.exec(first ?? '')?.[1] ?? null;
}

/** RFC 8461 §3.2: about a year. */
const longestAgeSeconds = 31_557_600;
const mxPattern =
  /^(?:\*\.)?[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
const modes = ['enforce', 'testing', 'none'] as const;

/** The policy file; a text says what is wrong with it. */
export function parseMtaStsPolicy(file: string): MtaStsPolicy | { problem: string } {
  const terms = file.split(/\r?\n/).flatMap((line) => {
    const [, key = '', value = ''] = /^([a-zA-Z0-9][a-zA-Z0-9_.-]{0,31}):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    return key === '' ? [] : [{ key, value }];
  });
  // Of what stands twice, the first counts.
  const firstOf = (wanted: string) => terms.find(({ key }) => key === wanted)?.value;
  if (firstOf('version') !== 'STSv1') return { problem: 'the version is not STSv1' };
  const mode = modes.find((known) => known === firstOf('mode'));
  if (mode === undefined) return { problem: 'the mode is none of enforce, testing and none' };
  const age = firstOf('max_age') ?? '';
  const maxAgeSeconds = /^\d{1,10}$/.test(age) ? Number(age) : Number.NaN;
  if (!(maxAgeSeconds <= longestAgeSeconds))
    return { problem: 'max_age is no number of seconds up to a year' };
  const mx = terms.filter(({ key }) => key === 'mx').map(({ value }) => value.toLowerCase());
  if (mx.length > limits.mtaStsMx) return { problem: 'too many mx' };
  if (!mx.every((pattern) => mxPattern.test(pattern))) return { problem: 'an mx is no host name' };
  if (mode !== 'none' && mx.length === 0) return { problem: 'no mx' };
  return { mode, mx: [...new Set(mx)], maxAgeSeconds };
}

/** RFC 8461 §4.1: a wildcard is the whole first label, and only that. */
export function namesHost({ mx }: Pick<MtaStsPolicy, 'mx'>, host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  const above = name.slice(name.indexOf('.') + 1);
  return mx.some((pattern) =>
    pattern.startsWith('*.') ? above !== name && pattern.slice(2) === above : pattern === name,
  );
}
