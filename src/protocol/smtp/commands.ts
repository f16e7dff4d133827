/** Commands of a client (RFC 5321 §4.1.1) as lines, and what may not stand in them. */
import { limits } from '../../base/limits.ts';
import { asciiOriginalRecipient, type ForwardPathOptions, type MailOptions } from './envelope-options.ts';
import type { Extensions } from './extensions.ts';

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
  /** What the client of this mail asked for; of it, what the server offers is said. */
  options: MailOptions;
}

export function mailCommand(mail: MailCommand, offered: Extensions): string {
  const { reversePath, sizeBytes, options } = mail;
  const parameters = [
    sizeBytes === null ? '' : ` SIZE=${sizeBytes}`,
    mail.eightBitMime ? ' BODY=8BITMIME' : '',
    mail.smtpUtf8 ? ' SMTPUTF8' : '',
    offered.dsn && options.ret !== null ? ` RET=${options.ret}` : '',
    offered.dsn && options.envid !== '' ? ` ENVID=${options.envid}` : '',
    options.requireTls ? ' REQUIRETLS' : '',
    offered.mtPriority && options.priority !== null ? ` MT-PRIORITY=${options.priority}` : '',
  ];
  return `MAIL FROM:<${reversePath}>${parameters.join('')}\r\n`;
}

export function rcptCommand(
  forwardPath: string,
  { notify, orcpt }: ForwardPathOptions,
  offered: Extensions,
): string {
  if (!offered.dsn) return `RCPT TO:<${forwardPath}>\r\n`;
  const wanted = notify.length === 0 ? '' : ` NOTIFY=${notify.join(',')}`;
  const original = offered.smtpUtf8 ? orcpt : asciiOriginalRecipient(orcpt);
  return `RCPT TO:<${forwardPath}>${wanted}${orcpt === '' ? '' : ` ORCPT=${original}`}\r\n`;
}
