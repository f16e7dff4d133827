/**
 * Bounces in free form: from the words of a report to recipients with what is said about each. How such reports look
 * is data (`report-formats.ts`); here is how it is applied. Pure and bounded.
 */
import { limits } from '../base/limits.ts';
import type { Stage } from '../events/delivery-status.ts';
import { isReturned, type Part, type Parts } from '../protocol/dsn/parts.ts';
import { bodyOf, readFields } from '../protocol/dsn/report-fields.ts';
import { type LineRule, recipientLines, returnedMarks, stageWords } from './report-formats.ts';

export interface ToldRecipient {
  address: string;
  /** What is said about this recipient; '' if nothing is said of it alone. */
  text: string;
}

export function heldBy(rules: readonly LineRule[], text: string): boolean {
  return rules.some(({ line }) => line.test(text));
}

/** What the report says to people, without the returned message; LF line ends. */
export function wordsOf({ parts }: Parts): string {
  const words = parts.filter(isWords);
  const plain = words.filter(({ type }) => type !== 'text/html');
  const text = (plain.length > 0 ? plain : words).map(textOf).join('\n');
  return untilReturned(text.slice(0, limits.reportTextChars)).join('\n');
}

function isWords(part: Part): boolean {
  const disposition = bodyOf(part.fields, 'content-disposition').toLowerCase();
  return part.type.startsWith('text/') && !isReturned(part) && !disposition.startsWith('attachment');
}

function textOf({ type, text }: Part): string {
  if (type !== 'text/html') return text;
  return text
    .replace(/<(?:br|\/?p|\/?div|\/?tr|\/?li|\/?h\d)\b[^>]{0,500}>/gi, '\n')
    .replace(/<[a-z/!][^>]{0,2000}>/gi, '')
    .replace(/&lt;/gi, '<')
    .replace(/&gt;/gi, '>')
    .replace(/&#39;|&rsquo;/gi, "'")
    .replace(/&nbsp;/gi, ' ')
    .replace(/&amp;/gi, '&');
}

function untilReturned(text: string): string[] {
  const lines = text.split('\n', limits.reportLines).map((line) => line.slice(0, limits.reportLineChars));
  const end = lines.findIndex((line) => heldBy(returnedMarks, line));
  return end === -1 ? lines : lines.slice(0, end);
}

/** Addresses in the header section of the message that came back, if it did. */
export function returnedField(parts: Parts, name: string): string {
  const part = parts.parts.find(isReturned);
  if (part !== undefined) {
    const body = bodyOf(readFields(part.text.replace(/^\n+/, '')).fields, name);
    if (body !== '') return body;
  }
  return '';
}

interface Found {
  line: number;
  address: string;
  before: boolean;
}

/** Recipients in order, each once, with the lines that belong to it. `notThese`: who reports, and to whom. */
export function toldRecipients(words: string, notThese: readonly string[]): ToldRecipient[] {
  const lines = words.split('\n');
  const found: Found[] = [];
  for (const [line, text] of lines.entries()) {
    const hit = recipientIn(text);
    if (hit !== null && !notThese.includes(hit.address.toLowerCase())) found.push({ line, ...hit });
  }
  const told = new Map<string, ToldRecipient>();
  const transcript = found.some(({ before }) => before);
  for (const [at, { line, address }] of found.entries()) {
    if (told.size === limits.reportRecipients) break;
    const text = transcript
      ? lastConversation(lines.slice((found[at - 1]?.line ?? -1) + 1, line + 1))
      : lines.slice(line, found[at + 1]?.line ?? lines.length);
    const key = address.toLowerCase();
    const known = told.get(key);
    if (known === undefined) told.set(key, { address, text: text.join('\n') });
    else if (transcript || !saysWhy(known.text)) known.text = `${known.text}\n${text.join('\n')}`;
  }
  return [...told.values()];
}

/** Of a transcript: a verdict follows the conversation that led to it. */
function lastConversation(lines: readonly string[]): readonly string[] {
  const start = lines.findLastIndex((line) => /^(?:\.\.\. )?while talking to /i.test(line));
  return lines.slice(Math.max(start, 0));
}

function recipientIn(line: string): { address: string; before: boolean } | null {
  if (!line.includes('@')) return null;
  for (const { line: pattern, reason } of recipientLines) {
    const address = pattern.exec(line)?.[1]?.replace(/\.+$/, '');
    if (address !== undefined) return { address, before: reason === 'before' };
  }
  return null;
}

export interface ToldReply {
  /** 0 if none is told. */
  code: number;
  /** '' if none is told. */
  status: string;
  /** Text behind code and status; all of it where there is neither. */
  text: string;
}

/** RFC 5321 §4.2.3, RFC 4954, RFC 7504 and codes that servers make up. */
const replyPattern =
  /(?<![\w./@-]|\d:)(4(?:2[1-9]|3[0-9]|5[0-9]|7[0-2])|5(?:0[0-4]|1[1-9]|2[1-9]|3[0-9]|4[0-2]|5[0-9]|7[0-2]))(?:[ -]|: ?|, ERROR_CODE ?: ?,? ?|$)[ "'(]{0,3}#?(?:\1[ -])?(?:([45]\.\d{1,3}\.\d{1,3})(?![.\d]))?/i;
const statusPattern = /(?<![\w.:/-])([45]\.\d{1,3}\.\d{1,3})(?![.\d-])/;

/** The reply of a remote server, as a report tells it. */
export function replyIn(told: string): ToldReply {
  const text = oneLine(told);
  const reply = replyPattern.exec(text);
  const anyStatus = statusPattern.exec(text)?.[1] ?? '';
  if (reply === null) return { code: 0, status: anyStatus, text };
  const status = reply[2] ?? anyStatus;
  const code = Number(reply[1]);
  return { code, status, text: text.slice(reply.index + reply[0].length).trim() };
}

function saysWhy(told: string): boolean {
  const { code, status } = replyIn(told);
  return code !== 0 || status !== '';
}

/** One line of bounded length. */
export function oneLine(text: string): string {
  return text
    .slice(0, limits.reportLineChars * 4)
    .replace(/\s+/g, ' ')
    .trim();
}

/** How far the conversation had come; a recipient is refused at RCPT unless the report says otherwise. */
export function stageIn(told: string): Stage {
  const text = told.slice(0, limits.reportLineChars * 4).toLowerCase();
  for (const { line, stage } of stageWords) {
    if (line.test(oneLine(text)) || text.split('\n').some((one) => line.test(one.trim()))) return stage;
  }
  return 'rcpt';
}
