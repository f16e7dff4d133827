/**
 * Enhanced mail system status codes (RFC 3463, RFC 2034, RFC 5248): read from the head of a reply text, or
 * assigned when a peer sent none.
 */

/** The stages in which a reply can be read. */
export type ReplyStage = 'greeting' | 'ehlo' | 'tls' | 'auth' | 'mail' | 'rcpt' | 'data' | 'end-of-data';

/** Some gateways put a number sign before it. */
const statusAtHead = /^#?([245])\.(\d{1,3})\.(\d{1,3})(?:[ \t]+|$)/;

/**
 * The status at the head of one line of reply text, and the text behind it. Null when there is none, or when
 * its class contradicts the reply code: such a status says nothing that can be relied on.
 */
export function splitEnhancedStatus(
  line: string,
  replyCode: number,
): { status: string; rest: string } | null {
  const match = statusAtHead.exec(line);
  if (match === null) return null;
  const [head, statusClass, subject, detail] = match;
  if (Number(statusClass) !== Math.floor(replyCode / 100)) return null;
  return { status: `${statusClass}.${subject}.${detail}`, rest: line.slice(head.length) };
}

/** `x.y.z` with a class of 2, 4 or 5. */
export function isEnhancedStatus(text: string): boolean {
  return /^[245]\.\d{1,3}\.\d{1,3}$/.test(text);
}

/** Subject and detail by reply code, where the code alone tells them (RFC 5248, RFC 7372, RFC 7504). */
const byCode: Readonly<Record<number, string>> = {
  421: '3.2',
  432: '7.12',
  450: '2.0',
  451: '3.0',
  452: '3.1',
  454: '7.0',
  455: '5.4',
  500: '5.2',
  501: '5.4',
  502: '5.1',
  503: '5.1',
  504: '5.4',
  521: '3.2',
  523: '7.10',
  525: '7.13',
  530: '7.0',
  534: '7.9',
  535: '7.8',
  538: '7.11',
  551: '1.6',
  552: '2.2',
  555: '5.4',
  556: '1.10',
};

/** What the same code says of an address when it answers MAIL or RCPT. */
const byStage: Readonly<Partial<Record<ReplyStage, Readonly<Record<number, string>>>>> = {
  mail: { 250: '1.0', 501: '1.7', 550: '1.0', 552: '3.4', 553: '1.7' },
  rcpt: { 250: '1.5', 251: '1.5', 501: '1.3', 550: '1.0', 553: '1.3' },
  data: { 552: '3.4' },
  'end-of-data': { 452: '3.1', 552: '3.4' },
};

/** The status for a reply that came without one. Unknown codes get `x.0.0`. */
export function assignEnhancedStatus(replyCode: number, stage: ReplyStage): string {
  const statusClass = Math.floor(replyCode / 100);
  const detail = byStage[stage]?.[replyCode] ?? byCode[replyCode] ?? '0.0';
  return `${statusClass === 2 || statusClass === 4 ? statusClass : 5}.${detail}`;
}
