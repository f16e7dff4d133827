/** One line of Haraka in any of its formats: `[LEVEL] [uuid] [origin] text`, `level=… uuid=…`, or JSON. Pure. */
import { isoTimeAtHead } from '../civil-time.ts';
import type { createSyslogReader } from '../syslog.ts';
import { pairsIn } from './words.ts';

export interface HarakaLine {
  at: number;
  host: string;
  uuid: string;
  /** `core`, `outbound`, a plugin. */
  origin: string;
  text: string;
  /** Where the format keeps them apart from the text. */
  fields: Map<string, string> | null;
}

/** `timeless`: it is one of Haraka's, and nothing tells when it was written. */
export function harakaLine(
  line: string,
  syslog: ReturnType<typeof createSyslogReader>,
): HarakaLine | 'timeless' | null {
  // Haraka colours what it writes to a terminal.
  const plain = line.includes('\u001b') ? line.replace(/\u001b\[\d{1,3}m/g, '') : line;
  const own = isoTimeAtHead(plain, syslog.clock);
  const head = own === null ? null : { at: own.at, host: '', text: plain.slice(own.length + 1) };
  if (head !== null) {
    const said = saidIn(head.text);
    if (said !== null) return { ...said, at: head.at, host: '' };
  }
  const entry = syslog(plain);
  if (entry !== null) {
    const said = saidIn(entry.text);
    return said === null ? null : { ...said, at: entry.at, host: entry.host };
  }
  return withoutTime(plain);
}

function withoutTime(line: string): HarakaLine | 'timeless' | null {
  const said = saidIn(line);
  if (said === null) return null;
  const at = Date.parse(said.fields?.get('timestamp') ?? said.fields?.get('time') ?? '');
  if (Number.isFinite(at)) return { ...said, at, host: '' };
  return said.uuid === '-' || said.uuid === '' ? null : 'timeless';
}

type Said = Omit<HarakaLine, 'at' | 'host'>;

function saidIn(text: string): Said | null {
  if (text.startsWith('{')) return fromJson(text);
  const match = /^\[[A-Z]{3,9}\] \[([^\]]{1,60})\] \[([^\]]{1,60})\] ?/.exec(text);
  if (match !== null) {
    const [head, uuid = '', origin = ''] = match;
    // Older ones write `[core] [outbound]` now and then, and spaces before the fields.
    const rest = text
      .slice(head.length)
      .replace(/^\[outbound\] /, '')
      .trimStart();
    return { uuid, origin: text.includes('] [outbound] ') ? 'outbound' : origin, text: rest, fields: null };
  }
  if (!/^level=[A-Z]{3,9} /.test(text)) return null;
  const fields = pairsIn(text);
  return {
    ...namesIn(fields),
    text: fields.get('message') || messageIn(text),
    fields: withFile(fields, text),
  };
}

function fromJson(text: string): Said | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('level' in value)) return null;
    const fields = new Map(Object.entries(value).map(([name, one]) => [name, String(one)]));
    return { ...namesIn(fields), text: fields.get('message') ?? '', fields };
  } catch {
    return null;
  }
}

function namesIn(fields: Map<string, string>): { uuid: string; origin: string } {
  return { uuid: fields.get('uuid') ?? '', origin: fields.get('origin') ?? fields.get('source') ?? '' };
}

function messageIn(text: string): string {
  return /\bdelivered file=/.exec(text) === null ? '' : text.slice(text.indexOf('delivered file='));
}

/** The only name with a space in it. */
function withFile(fields: Map<string, string>, text: string): Map<string, string> {
  if (text.includes('delivered file=')) fields.set('delivered file', fields.get('file') ?? '');
  return fields;
}

/** Fields behind the text in the default format: `queue code=OK msg="…"`. */
export function fieldsOf({ fields, text }: HarakaLine): Map<string, string> {
  return fields ?? pairsIn(text);
}
