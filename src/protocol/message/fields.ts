/** The fields of a message that its log shows, decoded (RFC 5322 §3.6, RFC 2047). Pure. */
import { addressParser, decodeWords } from 'postal-mime';
import { fieldBody, type HeaderField } from './header-section.ts';

export interface NamedAddress {
  address: string;
  name: string;
}

/** Control characters and line breaks out of decoded text: an encoded word can hold them. */
function oneLine(text: string): string {
  return text.replace(/[\x00-\x1f\x7f\u2028\u2029]+/g, ' ').trim();
}

export function decodedText(fields: readonly HeaderField[], name: string): string {
  const body = fieldBody(fields, name);
  if (body === null) return '';
  return oneLine(body.includes('=?') ? decodeWords(body) : body);
}

const plainAddress = /^<?([^\s<>",;:()=?]+@[^\s<>",;:()=?]+)>?$/;

/** All mailboxes of an address field, groups opened. Malformed ones are left out. */
export function addressesIn(fields: readonly HeaderField[], name: string): NamedAddress[] {
  const body = fieldBody(fields, name);
  if (body === null) return [];
  const plain = plainAddress.exec(body)?.[1];
  if (plain) return [{ address: plain, name: '' }];
  return addressParser(body, { flatten: true }).flatMap((entry) =>
    entry.address ? [{ address: oneLine(entry.address), name: oneLine(entry.name ?? '') }] : [],
  );
}

const quotedString = /"(?:[^"\\]|\\.)*"/g;
const comment = /\([^()]*\)/g;
const encodedWord = /=\?[^?\s]{1,80}\?[bq]\?[^?\s]{0,80}\?=/gi;
const bareAddress = /[^\s<>",;:()]{1,64}@[^\s<>",;:()@]{1,255}\.[^\s<>",;:()@]{1,63}/g;

/**
 * Every address that some reader may take for an author: the mailboxes of the From field, and what looks like one
 * outside quotes, comments and encoded words, for readers disagree about malformed fields.
 */
export function authorsIn(fields: readonly HeaderField[]): string[] {
  const body = fieldBody(fields, 'from') ?? '';
  const bare = [quotedString, comment, encodedWord].reduce((text, part) => text.replace(part, ' '), body);
  const mailboxes = addressesIn(fields, 'from').map(({ address }) => address);
  return [...new Set([...mailboxes, ...(bare.match(bareAddress) ?? [])])];
}

/** The Message-ID without its angle brackets; '' if there is none. */
export function messageIdIn(fields: readonly HeaderField[]): string {
  const body = fieldBody(fields, 'message-id') ?? '';
  const bracketed = /<([^<>\s]+)>/.exec(body)?.[1];
  return bracketed ?? oneLine(body).replace(/[<>\s]/g, '');
}
