/**
 * The kinds of values an option can have: how each is read from a file or the environment, and how it is
 * printed there. Reading what was printed gives the same value again. Messages never repeat the value:
 * it may be, or contain, a secret.
 */
import { OptionProblem, type RawValue } from '../base/option.ts';

export interface Kind<T> {
  parse(raw: RawValue): T;
  print(value: T): string;
}

/** A kind that is written as text; numbers and booleans of a TOML file are taken as they print. */
export function textKind<T>(parse: (text: string) => T, print: (value: T) => string): Kind<T> {
  return { parse: (raw) => parse(textOf(raw)), print };
}

function textOf(raw: RawValue): string {
  if (typeof raw === 'object') throw new OptionProblem('expected one value, not a list');
  return String(raw).trim();
}

/** `a, b` in the environment; in a file also `["a", "b"]`. Without entries an empty list. */
export function listOf<T>(kind: Kind<T>, bounds: { min: number; max: number }): Kind<readonly T[]> {
  return {
    parse: (raw) => {
      const values = entriesOf(raw).map((entry) => kind.parse(entry));
      if (values.length >= bounds.min && values.length <= bounds.max) return values;
      throw new OptionProblem(`expected ${bounds.min} to ${bounds.max} entries separated by commas`);
    },
    print: (values) => values.map((value) => kind.print(value)).join(', '),
  };
}

function entriesOf(raw: RawValue): readonly RawValue[] {
  if (typeof raw === 'object') return raw;
  const text = String(raw).trim();
  return text === '' ? [] : text.split(',').map((part) => part.trim());
}

/** Absent when the text is empty. */
export function optional<T>(kind: Kind<T>): Kind<T | null> {
  return {
    parse: (raw) => (raw === '' ? null : kind.parse(raw)),
    print: (value) => (value === null ? '' : kind.print(value)),
  };
}

export function wholeNumber(min: number, max: number): Kind<number> {
  return textKind((text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new OptionProblem(`expected a whole number from ${min} to ${max}`);
  }, String);
}

export function oneOf<const T extends string>(...choices: readonly T[]): Kind<T> {
  return textKind((text) => {
    const found = choices.find((choice) => choice === text);
    if (found !== undefined) return found;
    throw new OptionProblem(`expected one of ${choices.join(', ')}`);
  }, String);
}

export const databaseName: Kind<string> = textKind((text) => {
  if (/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(text)) return text;
  throw new OptionProblem('expected up to 64 letters, digits and underscores');
}, String);

const maxPathChars = 4096;

/** A file or folder; where it must exist is for its user to say. */
export const path: Kind<string> = textKind((text) => {
  if (text !== '' && text.length <= maxPathChars && !text.includes('\0')) return text;
  throw new OptionProblem('expected the path of a file or folder');
}, String);

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type DurationUnit = keyof typeof unitMs;

/** `30s`, `5m`, `1h30m`, `2d`, in milliseconds. A number without a unit is refused: of what? */
export function duration(minMs: number, maxMs: number): Kind<number> {
  const expected = `expected a duration such as 30s, 5m, 1h30m or 2d, from ${printDuration(minMs)} to ${printDuration(maxMs)}`;
  return textKind((text) => {
    const valueMs = parseDuration(text);
    if (valueMs !== null && valueMs >= minMs && valueMs <= maxMs) return valueMs;
    throw new OptionProblem(expected);
  }, printDuration);
}

/** Units from large to small, each once. */
const durationPattern = /^(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?$/;

function parseDuration(text: string): number | null {
  const parts = text === '' ? null : durationPattern.exec(text);
  if (parts === null) return null;
  const [days, hours, minutes, seconds, milliseconds] = parts.slice(1).map((part) => Number(part ?? 0));
  return (
    (days ?? 0) * unitMs.d +
    (hours ?? 0) * unitMs.h +
    (minutes ?? 0) * unitMs.m +
    (seconds ?? 0) * unitMs.s +
    (milliseconds ?? 0)
  );
}

function printDuration(valueMs: number): string {
  const units: DurationUnit[] = ['d', 'h', 'm', 's', 'ms'];
  let rest = valueMs;
  const parts = units.map((unit) => {
    const count = Math.floor(rest / unitMs[unit]);
    rest -= count * unitMs[unit];
    return count === 0 ? '' : `${count}${unit}`;
  });
  return parts.join('') || '0s';
}

/** `03:00`, in milliseconds after midnight. */
export const timeOfDay: Kind<number> = textKind(
  (text) => {
    const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
    if (hours !== undefined) return Number(hours) * unitMs.h + Number(minutes) * unitMs.m;
    throw new OptionProblem('expected a time of day such as 03:00, from 00:00 to 23:59');
  },
  (value) => {
    const two = (number: number) => String(number).padStart(2, '0');
    return `${two(Math.floor(value / unitMs.h))}:${two(Math.floor((value % unitMs.h) / unitMs.m))}`;
  },
);

const unitBytes = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;
type SizeUnit = keyof typeof unitBytes;

/** `50MiB`, `4KiB`, `1000B`, or a bare number of bytes. */
export function byteSize(minBytes: number, maxBytes: number): Kind<number> {
  const expected = `expected a size such as 512KiB, 50MiB or 1GiB, from ${printByteSize(minBytes)} to ${printByteSize(maxBytes)}`;
  return textKind((text) => {
    const parts = /^(\d{1,15})(B|KiB|MiB|GiB)?$/.exec(text);
    const bytes = parts === null ? Number.NaN : Number(parts[1]) * unitBytes[(parts[2] ?? 'B') as SizeUnit];
    if (bytes >= minBytes && bytes <= maxBytes) return bytes;
    throw new OptionProblem(expected);
  }, printByteSize);
}

function printByteSize(bytes: number): string {
  const units: SizeUnit[] = ['GiB', 'MiB', 'KiB'];
  const unit = units.find((candidate) => bytes !== 0 && bytes % unitBytes[candidate] === 0);
  return unit === undefined ? `${bytes}B` : `${bytes / unitBytes[unit]}${unit}`;
}
