/** A plain text mail (RFC 5322, RFC 2045 to 2047), as `waybill send` makes it. Pure. */
import { rfc5322Date } from '../base/time-text.ts';

export interface PlainMail {
  from: string;
  to: readonly string[];
  subject: string;
  /** Any line endings. */
  body: string;
  at: number;
}

/** Lines ended by CRLF. Date and header fields stand in it, a Message-ID does not: the relay adds one. */
export function composeMail({ from, to, subject, body, at }: PlainMail): Buffer {
  const text = body.replace(/\r\n?|\n/g, '\r\n');
  const { encoding, lines } = encodedBody(text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`);
  const fields = [
    `From: <${from}>`,
    `To: ${to.map((address) => `<${address}>`).join(',\r\n ')}`,
    `Subject: ${encodedText(subject)}`,
    `Date: ${rfc5322Date(at)}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Transfer-Encoding: ${encoding}`,
  ];
  return Buffer.from(`${fields.join('\r\n')}\r\n\r\n${lines}`);
}

/** RFC 5322 §2.1.1. */
const longestLine = 998;
const base64Line = 76;

function encodedBody(text: string): { encoding: '7bit' | 'base64'; lines: string } {
  const plain = !/[^\x01-\x7f]/.test(text) && text.split('\r\n').every((line) => line.length <= longestLine);
  if (plain) return { encoding: '7bit', lines: text };
  const encoded = Buffer.from(text).toString('base64');
  return { encoding: 'base64', lines: encoded.replace(/.{1,76}/g, '$&\r\n') };
}

/** An encoded word has 75 characters at most (RFC 2047 §2): 45 bytes of text after `=?UTF-8?B?` and `?=`. */
const encodedWordBytes = 45;

function encodedText(text: string): string {
  const line = text.replace(/[\r\n]+/g, ' ');
  if (!/[^\x20-\x7e]/.test(line) && !line.includes('=?') && line.length <= base64Line) return line;
  const words: string[] = [];
  let word = '';
  for (const char of line) {
    if (Buffer.byteLength(word + char) > encodedWordBytes) {
      words.push(word);
      word = '';
    }
    word += char;
  }
  return [...words, word].map((part) => `=?UTF-8?B?${Buffer.from(part).toString('base64')}?=`).join('\r\n ');
}
