/** Which header fields a signature covers, and how often each is named in it (RFC 6376 §5.4, §8.15). Pure. */
import { relaxedField } from './canonical.ts';

/**
 * Named once more than they occur: a field of that name that is added on the way breaks the signature. Without it
 * someone could put a second Subject above the signed one and show readers that.
 */
const oversigned = [
  ...['from', 'to', 'cc', 'subject', 'date', 'message-id', 'reply-to'],
  ...['mime-version', 'content-type'],
];

/** Named as often as they occur. RFC 8058 §4 asks for the two that unsubscribe. */
const signedIfPresent = [
  ...['content-transfer-encoding', 'in-reply-to', 'references', 'feedback-id'],
  ...['list-id', 'list-help', 'list-unsubscribe', 'list-unsubscribe-post'],
  ...['list-subscribe', 'list-post', 'list-owner', 'list-archive'],
  ...['resent-date', 'resent-from', 'resent-to', 'resent-cc', 'resent-message-id'],
];

const names = [...oversigned, ...signedIfPresent];
const extra = new Set(oversigned);

export interface SignedFields {
  /** Value of the tag `h=`, in order; a name may stand there several times. */
  names: string[];
  /** The canonical fields in the same order, each ended by CRLF: latin1. */
  canonical: string;
}

/** `headerSection` is latin1, its lines ended by CRLF. */
export function signedFields(headerSection: string): SignedFields {
  const present = fieldsByName(headerSection);
  const listed: string[] = [];
  let canonical = '';
  for (const name of names) {
    const fields = present.get(name) ?? [];
    // Verifiers take the fields of one name from the bottom up.
    for (const field of fields.toReversed()) {
      listed.push(name);
      canonical += `${relaxedField(field)}\r\n`;
    }
    if (extra.has(name)) listed.push(name);
  }
  return { names: listed, canonical };
}

function fieldsByName(headerSection: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const field of headerSection.split(/\r\n(?![ \t])/)) {
    const colon = field.indexOf(':');
    if (colon === -1) continue;
    const name = field
      .slice(0, colon)
      .replace(/[ \t]+$/, '')
      .toLowerCase();
    const sameName = found.get(name);
    if (sameName) sameName.push(field);
    else found.set(name, [field]);
  }
  return found;
}
