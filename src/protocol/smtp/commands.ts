/** Commands of a client (RFC 5321 §4.1.1) as lines, and what may not stand in them. */
import { limits } from '../../base/limits.ts';

/**
 * Controls, spaces and angle brackets could end the path or the line and begin a command of their own.
 * RFC 5321 allows some of them in a quoted local part; no one uses them, and we refuse them.
 */
const unsafeInPath = /[\x00-\x20\x7f<>]/;

/** A path that can be written between angle brackets; '' is the null reverse-path. */
export function isSafePath(path: string): boolean {
  return Buffer.byteLength(path) <= limits.pathBytes && path.isWellFormed() && !unsafeInPath.test(path);
}

export function isAscii(text: string): boolean {
  return /^[\x00-\x7f]*$/.test(text);
}

export interface MailCommand {
  reversePath: string;
  /** RFC 1870; null: the server did not offer SIZE. */
  sizeBytes: number | null;
  eightBitMime: boolean;
  smtpUtf8: boolean;
}

export function mailCommand({ reversePath, sizeBytes, eightBitMime, smtpUtf8 }: MailCommand): string {
  const size = sizeBytes === null ? '' : ` SIZE=${sizeBytes}`;
  return `MAIL FROM:<${reversePath}>${size}${eightBitMime ? ' BODY=8BITMIME' : ''}${smtpUtf8 ? ' SMTPUTF8' : ''}\r\n`;
}

export function rcptCommand(forwardPath: string): string {
  return `RCPT TO:<${forwardPath}>\r\n`;
}
