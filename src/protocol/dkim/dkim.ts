/**
 * What a DKIM signer computes (RFC 6376, RFC 8301, RFC 8463), without keys and without waiting: what is to be signed,
 * and the field that carries the signature. Pure.
 *
 * Always relaxed/relaxed, never `l=` (it lets anyone append) nor `x=` (mail may wait in queues for days). `i=` is left
 * out: the agent is the domain. Not here: verification, keys (tenants), the act of signing (relay).
 */
import { hash } from 'node:crypto';
import { relaxedBodyHash, relaxedField } from './canonical.ts';
import type { DkimAlgorithm } from './record.ts';
import { signedFields } from './signed-fields.ts';

/** What all signatures of one content have in common. */
export interface SignableContent {
  bodyHash: string;
  names: string[];
  /** Canonical fields, each ended by CRLF: latin1. */
  canonical: string;
}

/** Values of the tags. */
export interface SignatureFacts {
  algorithm: DkimAlgorithm;
  /** Lower case, A-labels. */
  domain: string;
  selector: string;
  /** Milliseconds; the tag `t=` has seconds. */
  signedAt: number;
}

/** A DKIM-Signature field that lacks the value of its tag `b=`. */
export interface UnsignedField {
  algorithm: DkimAlgorithm;
  text: string;
  /** What the key signs: the canonical fields, or for Ed25519 their SHA-256 (RFC 8463 §3). */
  input: Buffer;
}

const endOfHeaderSection = Buffer.from('\r\n\r\n');

/** `content` begins with at least one header field. */
export function signableContent(content: Buffer): SignableContent {
  const at = content.indexOf(endOfHeaderSection);
  const headerBytes = at === -1 ? content.length : at;
  const body = content.subarray(at === -1 ? content.length : at + endOfHeaderSection.length);
  return {
    bodyHash: relaxedBodyHash(body),
    ...signedFields(content.toString('latin1', 0, headerBytes)),
  };
}

export function unsignedField(content: SignableContent, facts: SignatureFacts): UnsignedField {
  const { algorithm, domain, selector, signedAt } = facts;
  const text = [
    `DKIM-Signature: v=1; a=${algorithm}; c=relaxed/relaxed;`,
    ` d=${domain}; s=${selector}; t=${Math.floor(signedAt / 1000)};`,
    ...foldedNames(content.names),
    ` bh=${content.bodyHash};`,
    ' b=',
  ].join('\r\n');
  const input = Buffer.from(content.canonical + relaxedField(text), 'latin1');
  const digested = algorithm === 'ed25519-sha256' ? hash('sha256', input, 'buffer') : input;
  return { algorithm, text, input: digested };
}

/** The whole field, ended by CRLF. */
export function signedField({ text }: UnsignedField, signature: Buffer): string {
  const value = signature.toString('base64').replace(/.{72}(?=.)/g, '$&\r\n ');
  return `${text}${value}\r\n`;
}

/** RFC 5322 §2.1.1 recommends lines of at most 78 characters. */
const longestLine = 78;

function foldedNames(names: readonly string[]): string[] {
  const lines: string[] = [];
  let line = ' h=';
  for (const [index, name] of names.entries()) {
    const word = `${name}${index === names.length - 1 ? ';' : ':'}`;
    if (line.length + word.length > longestLine) {
      lines.push(line);
      line = '  ';
    }
    line += word;
  }
  return [...lines, line];
}
