/**
 * The log of the installation: one line of JSON per happening on standard error, or a readable line at a
 * terminal. Here the invariant is kept that secrets and content never reach the log (I8): fields with such
 * names are masked at every depth, passwords in URLs as well. Whatever a peer said, a line stays one line.
 */
import { pino } from 'pino';
import { type Clock, systemClock } from './clock.ts';
import { limits } from './limits.ts';
import { isoTime } from './time-text.ts';

export type LogFields = Readonly<Record<string, unknown>>;
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface Log {
  debug(fields: LogFields, text: string): void;
  info(fields: LogFields, text: string): void;
  warn(fields: LogFields, text: string): void;
  error(fields: LogFields, text: string): void;
  /** A log whose every line carries these fields as well. */
  child(fields: LogFields): Log;
}

export interface LogRequest {
  level: LogLevel;
  /** `auto`: readable at a terminal, else JSON. */
  format: 'auto' | 'json' | 'pretty';
  /** Which part of the product speaks, for example `relay`. */
  name: string;
  clock?: Clock;
  /** Gets whole lines; standard error if not given. */
  write?: (line: string) => void;
}

/** For tests and for tools that speak for themselves. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
};

export function createLog({ level, format, name, clock = systemClock, write }: LogRequest): Log {
  const readable = format === 'pretty' || (format === 'auto' && process.stderr.isTTY);
  const options = {
    level,
    base: { name, pid: process.pid },
    timestamp: () => `,"time":"${isoTime(clock.now())}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return wrap(pino(options, destination(readable, write)));
}

interface Lines {
  write(line: string): void;
}

/** Written at once, so that the last words before a crash are not lost. */
function destination(readable: boolean, write: LogRequest['write']): Lines {
  const lines: Lines = write ? { write } : pino.destination({ fd: 2, sync: true });
  return { write: (line) => lines.write(readable ? readableLine(line) : `${printable(line.trimEnd())}\n`) };
}

type Sink = Pick<pino.Logger, LogLevel | 'child' | 'isLevelEnabled'>;

function wrap(sink: Sink): Log {
  const speaker = (level: LogLevel) => (fields: LogFields, text: string) => {
    if (sink.isLevelEnabled(level)) sink[level](masked(fields), shortened(text));
  };
  return {
    debug: speaker('debug'),
    info: speaker('info'),
    warn: speaker('warn'),
    error: speaker('error'),
    child: (fields) => wrap(sink.child(masked(fields))),
  };
}

const mask = '[masked]';
const maxDepth = 6;

/** Names compared without case, `_` and `-`. Whole names, since `contentBytes` is no secret. */
const maskedNames = new Set([
  'content',
  'body',
  'authorization',
  'cookie',
  'setcookie',
  'credentials',
  'signature',
]);
const maskedEndings = /(?:password|passwd|passphrase|secret|apikey|appkey|token|privatekey)$/;

function isMasked(name: string): boolean {
  const plain = name.toLowerCase().replace(/[_-]/g, '');
  return maskedNames.has(plain) || maskedEndings.test(plain);
}

/** What every line says anyway; a field of the same name gets out of the way. */
const reserved = new Set(['level', 'time', 'pid', 'name', 'msg']);

function masked(fields: LogFields): Record<string, unknown> {
  const members = Object.entries(fields).map(
    ([name, value]) => [reserved.has(name) ? `${name}_` : name, value] as const,
  );
  return maskedMembers(members, 0);
}

function maskedMembers(
  members: readonly (readonly [string, unknown])[],
  depth: number,
): Record<string, unknown> {
  const kept = members.slice(0, limits.logFieldMembers);
  return Object.fromEntries(
    kept.map(([name, value]) => [name, isMasked(name) && hasWorth(value) ? mask : maskedValue(value, depth)]),
  );
}

/** That there is no password is worth knowing. */
function hasWorth(value: unknown): boolean {
  return value !== null && value !== undefined && value !== '' && typeof value !== 'boolean';
}

function maskedValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return shortened(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= maxDepth) return '[deeper]';
  if (value instanceof Error) return maskedMembers(errorMembers(value), depth + 1);
  if (Array.isArray(value))
    return value.slice(0, limits.logFieldMembers).map((one) => maskedValue(one, depth + 1));
  if (value instanceof Map || value instanceof Set) return maskedValue([...value], depth);
  return maskedMembers(Object.entries(value), depth + 1);
}

function errorMembers(error: Error): [string, unknown][] {
  const { name, message, stack, cause } = error;
  return [
    ['type', name],
    ['message', message],
    ...Object.entries(error),
    ['stack', stack],
    ...(cause === undefined ? [] : ([['cause', cause]] satisfies [string, unknown][])),
  ];
}

/** `https://user:password@host` shows neither. */
function shortened(text: string): string {
  const plain = text.includes('://') ? text.replace(/:\/\/[^\s/@]+@/g, `://${mask}@`) : text;
  return plain.length <= limits.logTextChars ? plain : `${plain.slice(0, limits.logTextChars)}…`;
}

/** Controls, line separators and marks that turn the direction of writing around. */
const unprintable = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

function printable(text: string): string {
  return text.replace(unprintable, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function readableLine(line: string): string {
  const { level, time, pid: _, name, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const shown = Object.entries(fields).map(([key, value]) => ` ${key}=${readableValue(value)}`);
  const clockTime = String(time).slice(11, 23);
  return `${printable(`${clockTime} ${String(level).padEnd(5)} ${name}: ${msg}${shown.join('')}`)}${stacksOf(fields)}\n`;
}

function readableValue(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value, (key, inner) => (key === 'stack' ? undefined : inner));
}

/** Stacks stand below the line, indented, for they are meant to be read. */
function stacksOf(fields: Record<string, unknown>): string {
  return Object.values(fields)
    .map((value) =>
      typeof value === 'object' && value !== null && 'stack' in value ? String(value.stack) : '',
    )
    .filter((stack) => stack !== '')
    .map((stack) =>
      stack
        .split('\n')
        .slice(1)
        .map((frame) => `\n  ${printable(frame)}`)
        .join(''),
    )
    .join('');
}
