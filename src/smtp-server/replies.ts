/**
 * The replies of the server and what the session does after each (RFC 5321 §4.2 and §4.3.2; enhanced
 * statuses of RFC 2034, RFC 3463 and RFC 5248).
 */
import type { Refusal } from './handler.ts';

export interface Answer {
  /** Ready to be sent: every line has its code and CRLF. */
  text: string;
  /** What is read next. `close`: nothing, the connection ends. */
  next: 'command' | 'content' | 'chunk' | 'login' | 'tls' | 'close';
  /** The client broke the protocol; too many of these end the session. */
  isError: boolean;
}

/** RFC 5321 §4.5.3.1.5 allows 512 bytes a line with code and CRLF. */
const lineTextChars = 480;
const replyLines = 20;

/** Text lines are joined by LF. What could forge a further line is replaced. `enhancedStatus` may be ''. */
export function renderReply(code: number, enhancedStatus: string, text: string): string {
  const status = enhancedStatus === '' ? '' : `${enhancedStatus} `;
  const lines = text.split('\n', replyLines).map(harmless);
  const last = lines.pop() ?? '';
  return `${lines.map((line) => `${code}-${status}${line}\r\n`).join('')}${code} ${status}${last}\r\n`;
}

function harmless(line: string): string {
  return line
    .slice(0, lineTextChars)
    .replace(/[^\x20-\x7e]/g, '?')
    .trimEnd();
}

export function reply(code: number, enhancedStatus: string, text: string): Answer {
  return { text: renderReply(code, enhancedStatus, text), next: 'command', isError: false };
}

/** The client broke the protocol. */
export function complaint(code: number, enhancedStatus: string, text: string): Answer {
  return { ...reply(code, enhancedStatus, text), isError: true };
}

export function farewell(code: number, enhancedStatus: string, text: string): Answer {
  return { ...reply(code, enhancedStatus, text), next: 'close' };
}

/** A refusal with 421 ends the session, as the code says (RFC 5321 §3.8). */
export function refusal({ refused }: Refusal): Answer {
  const { code, enhancedStatus, text } = refused;
  return refused.code === 421 ? farewell(code, enhancedStatus, text) : reply(code, enhancedStatus, text);
}

/** BDAT: nothing is said before the chunk has come. */
export const receiveChunk: Answer = { text: '', next: 'chunk', isError: false };

export const replies = {
  reset: reply(250, '2.0.0', 'Ok'),
  noop: reply(250, '2.0.0', 'Ok'),
  senderOk: reply(250, '2.1.0', 'Ok'),
  recipientOk: reply(250, '2.1.5', 'Ok'),
  sendContent: { ...reply(354, '', 'End data with <CR><LF>.<CR><LF>'), next: 'content' },
  startTls: { ...reply(220, '2.0.0', 'Ready to start TLS'), next: 'tls' },
  bye: farewell(221, '2.0.0', 'Bye'),
  verify: reply(252, '2.0.0', 'Cannot verify the user, but will take mail for it'),
  help: reply(
    214,
    '2.0.0',
    'HELO EHLO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT STARTTLS AUTH\nRFC 5321, RFC 6409',
  ),

  unknownCommand: complaint(500, '5.5.1', 'Unknown command'),
  notImplemented: complaint(502, '5.5.1', 'Command not implemented'),
  noArgument: complaint(501, '5.5.4', 'This command takes no argument'),
  argumentMissing: complaint(501, '5.5.4', 'This command needs an argument'),
  lineTooLong: complaint(500, '5.5.2', 'Line too long'),
  exchangeTooLong: complaint(500, '5.5.6', 'Authentication exchange line is too long'),
  bareLf: complaint(500, '5.5.2', 'A line ends with CRLF, not with LF alone'),
  notText: complaint(500, '5.5.2', 'A command line holds neither control characters nor malformed UTF-8'),
  badName: complaint(501, '5.5.4', 'Give a host name or an address literal'),
  greetFirst: complaint(503, '5.5.1', 'Send HELO or EHLO first'),
  ehloFirst: complaint(503, '5.5.1', 'Send EHLO first'),
  mailFirst: complaint(503, '5.5.1', 'Send MAIL first'),
  nestedMail: complaint(503, '5.5.1', 'A mail transaction is open already'),
  noRecipients: complaint(554, '5.5.1', 'No valid recipients'),
  mailSyntax: complaint(501, '5.5.4', 'Syntax: MAIL FROM:<address>'),
  rcptSyntax: complaint(501, '5.5.4', 'Syntax: RCPT TO:<address>'),

  dataAfterBdat: complaint(503, '5.5.1', 'DATA cannot follow BDAT in one transaction'),
  rcptAfterBdat: complaint(503, '5.5.1', 'RCPT comes before BDAT'),
  /** How much of what follows is content cannot be known. */
  bdatSyntax: farewell(501, '5.5.4', 'Syntax: BDAT octets [LAST]'),
  noBinaryMime: complaint(504, '5.5.4', 'BODY=BINARYMIME is not supported'),
  requireTlsWithoutTls: complaint(530, '5.7.10', 'REQUIRETLS needs a session under TLS'),
  holdNotOffered: complaint(555, '5.5.4', 'Holding mail is not offered'),
  heldTwice: complaint(501, '5.5.4', 'HOLDFOR and HOLDUNTIL cannot be given together'),

  authenticationRequired: complaint(530, '5.7.0', 'Authentication required'),
  tlsRequired: complaint(530, '5.7.0', 'Must issue a STARTTLS command first'),
  tlsForAuthentication: complaint(538, '5.7.11', 'Encryption required for authentication: use STARTTLS'),
  loggedInAlready: complaint(503, '5.5.1', 'Authenticated already'),
  loginInTransaction: complaint(503, '5.5.1', 'AUTH is not allowed during a mail transaction'),
  loggedIn: reply(235, '2.7.0', 'Authentication successful'),
  secureAlready: complaint(503, '5.5.1', 'TLS is active already'),
  inputAfterStartTls: farewell(554, '5.7.0', 'Input after STARTTLS came before TLS'),

  otherPurpose: reply(452, '4.5.3', 'Mail and reports go in transactions of their own'),
  tooManyRecipients: reply(452, '4.5.3', 'Too many recipients'),
  noRoom: reply(452, '4.3.1', 'Not enough memory for this mail now'),
  localError: reply(451, '4.3.0', 'Local error in processing'),

  otherProtocol: farewell(502, '5.7.0', 'This is an SMTP server'),
  lineFlood: farewell(421, '4.7.0', 'Line too long, closing connection'),
  tooManyErrors: farewell(421, '4.7.0', 'Too many errors, closing connection'),
  tooManyLogins: farewell(421, '4.7.0', 'Too many failed logins, closing connection'),
  tooManyLoginsOfAddress: farewell(421, '4.7.0', 'Too many failed logins from your address, try again later'),
  tooManySessions: farewell(421, '4.3.2', 'Too many sessions, try again later'),
  idle: farewell(421, '4.4.2', 'Idle for too long, closing connection'),
  sessionTooLong: farewell(421, '4.4.2', 'Session lasted too long, closing connection'),
  shuttingDown: farewell(421, '4.3.2', 'Service is stopping, try again later'),
} as const satisfies Record<string, Answer>;
