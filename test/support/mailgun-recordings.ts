/**
 * Recorded exchanges with the real Mailgun service, kept beside the repository: what an official client
 * asked, and what it was answered. The files are YAML of one shape; only what tests need is read.
 */
import { existsSync, readFileSync } from 'node:fs';
import { inCi } from './environment.ts';

const folder = new URL('../../../shared/testdata/mailgun-recordings-a/', import.meta.url);

export interface Exchange {
  method: string;
  url: URL;
  status: number;
  /** By lower-case name. */
  headers: Map<string, string>;
  body: string;
  recordedAt: number;
}

/** The `skip` option of a test that needs the recordings; in CI it runs and fails instead. */
export const skipWithoutRecordings: string | false =
  existsSync(folder) || inCi() ? false : 'the recorded exchanges are not beside the repository';

export function recordedExchanges(file: string): Exchange[] {
  const text = readFileSync(new URL(file, folder), 'utf8');
  return text
    .split(/^- request:\n/m)
    .slice(1)
    .map(exchangeOf);
}

function exchangeOf(text: string): Exchange {
  const [request = '', response = ''] = text.split(/^ {2}response:\n/m);
  return {
    method: fieldOf(request, 'method').toUpperCase(),
    url: new URL(fieldOf(request, 'uri')),
    status: Number(fieldOf(response, 'code')),
    headers: headersOf(response),
    body: bodyOf(response),
    recordedAt: Date.parse(fieldOf(response, 'recorded_at')),
  };
}

function fieldOf(text: string, name: string): string {
  const value = new RegExp(`^ *${name}: (.*)$`, 'm').exec(text)?.[1];
  if (value === undefined) throw new Error(`the recording has no field ${name}`);
  return value;
}

function headersOf(response: string): Map<string, string> {
  const section = /^ {4}headers:\n(?<lines>(?: {6}.*\n)*)/m.exec(response)?.groups?.lines ?? '';
  const pairs = section.matchAll(/^ {6}(?<name>[^\s:]+):\n {6}- (?<value>.*)$/gm);
  return new Map(
    [...pairs].map(({ groups }) => [groups?.name?.toLowerCase() ?? '', unquoted(groups?.value ?? '')]),
  );
}

/** A folded scalar: a line break is a space, an empty line is a line break. */
function bodyOf(response: string): string {
  const lines = (response.split(/^ {4}body:\n/m)[1] ?? '').split('\n');
  const from = lines.findIndex((line) => line.startsWith('      string: '));
  const to = lines.findIndex((line, at) => at > from && line !== '' && !line.startsWith('        '));
  const scalar = lines.slice(from, to === -1 ? undefined : to).map((line) => line.trim());
  const folded = scalar
    .join(' ')
    .replace(/ {2,}$/, '')
    .slice('string: '.length);
  return unquoted(folded.replace(/^\|-? /, '').trim()).trim();
}

function unquoted(scalar: string): string {
  return scalar.replace(/^(['"])(.*)\1$/, '$2');
}
