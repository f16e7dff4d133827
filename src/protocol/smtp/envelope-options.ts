/**
 * What a client may ask for in MAIL and RCPT beyond the paths: DSN (RFC 3461), SMTPUTF8 (RFC 6531), REQUIRETLS (RFC
 * 8689), MT-PRIORITY (RFC 6710). The values are kept as they stand in the command, so that the next server reads
 * exactly what the client wrote (RFC 3461 §5.2.1).
 */
import { limits } from '../../base/limits.ts';

/** Options of a mail. */
export interface MailOptions {
  /** The header section is not ASCII: only a server with SMTPUTF8 can take the mail. Paths speak for themselves. */
  smtpUtf8: boolean;
  /** What of the mail its DSNs return. */
  ret: 'FULL' | 'HDRS' | null;
  /** Envelope identifier in xtext; ''. */
  envid: string;
  requireTls: boolean;
  /** -9 to 9; null: not given, which means 0. */
  priority: number | null;
}

export const noMailOptions: MailOptions = {
  smtpUtf8: false,
  ret: null,
  envid: '',
  requireTls: false,
  priority: null,
};

const notifyWords = ['NEVER', 'SUCCESS', 'FAILURE', 'DELAY'] as const;
export type NotifyWord = (typeof notifyWords)[number];

/** Options of a forward-path. */
export interface ForwardPathOptions {
  /** What the sender wants to be told of; empty: not said, which means failures, and delays if we like. */
  notify: readonly NotifyWord[];
  /** Original recipient, `type;address` in xtext; ''. */
  orcpt: string;
}

export const noForwardPathOptions: ForwardPathOptions = { notify: [], orcpt: '' };

/** Two classes of mail: what somebody waits for, and what may wait. */
export const mailClasses = ['transactional', 'bulk'] as const;
export type MailClass = (typeof mailClasses)[number];

/** A priority below zero says that the mail may wait for others. */
export function mailClassOf(priority: number | null): MailClass {
  return (priority ?? 0) < 0 ? 'bulk' : 'transactional';
}

/** RFC 3461 §4: printable characters, with `+` and two hexadecimal digits for `+`, `=` and the others. */
const xtext = /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/;
/** The same for a value that must not be empty, with nothing in it but printable ASCII once decoded. */
const printableXtext = /^(?:[!-*,-<>-~]|\+(?:[2-6][0-9A-F]|7[0-9A-E]))+$/;
const addressType = /^[A-Za-z0-9!#$%&'*/?^_`{|}~-]+$/;
/** RFC 6533 §3: printable characters but `+` and `=`, others as they are, or any as `\x{HEX}`. */
const utf8Address = /^(?:[!-*,-<>-[\]-~\u00a0-\u{10ffff}]|\\x\{(?:[1-9A-F][0-9A-F]{1,4}|10[0-9A-F]{4})\})+$/u;

export function isXtext(value: string): boolean {
  return xtext.test(value);
}

/** Bytes may stand behind the hexadecimal digits; they are read as UTF-8. */
export function decodeXtext(value: string): string {
  const bytes = value.replace(/\+([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

export function isEnvelopeId(value: string): boolean {
  return value.length <= limits.envelopeIdChars && printableXtext.test(value);
}

/** Null: malformed. NEVER stands alone; a word given twice is one. */
export function parseNotify(value: string): NotifyWord[] | null {
  const given = value.toUpperCase().split(',');
  const words = notifyWords.filter((word) => given.includes(word));
  if (!given.every((word) => words.some((known) => known === word))) return null;
  return words.includes('NEVER') && words.length > 1 ? null : words;
}

export function isOriginalRecipient(value: string): boolean {
  const semicolon = value.indexOf(';');
  const type = value.slice(0, semicolon);
  const address = value.slice(semicolon + 1);
  if (semicolon === -1 || value.length > limits.originalRecipientChars || !addressType.test(type))
    return false;
  return type.toLowerCase() === 'utf-8' ? isUtf8Address(address) : printableXtext.test(address);
}

/** Either spelling of RFC 6533: with `\x{…}` or in xtext. */
function isUtf8Address(address: string): boolean {
  return utf8Address.test(address) || (printableXtext.test(address) && !address.includes('\\'));
}

/** The original recipient in ASCII, for a server without SMTPUTF8 (RFC 6533 §3, `utf-8-addr-xtext`). */
export function asciiOriginalRecipient(orcpt: string): string {
  return orcpt.replace(/[^\x00-\x7f]/gu, (character) => {
    return `\\x{${character.codePointAt(0)?.toString(16).toUpperCase()}}`;
  });
}

/** `-9` to `9` as RFC 6710 has it; null: malformed. */
export function parsePriority(value: string): number | null {
  return /^(?:-?[1-9]|0)$/.test(value) ? Number(value) : null;
}
