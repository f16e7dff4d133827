/**
 * Bounces as a JSON document in the text of a mail: the notifications of Amazon SES, sent on by Amazon SNS. Reads the
 * document wherever it stands in the text, wrapped in a notification of its own or not.
 */
import { limits } from '../base/limits.ts';

export interface NotifiedRecipient {
  address: string;
  action: 'failed' | 'delayed' | 'delivered' | 'complained';
  status: string;
  diagnostic: string;
}

type Members = Readonly<Record<string, unknown>>;

/** Null if the text holds no such document. */
export function notificationIn(words: string): NotifiedRecipient[] | null {
  const text = words.trim();
  if (!text.startsWith('{') || !text.includes('notificationType')) return null;
  const outer = parsed(text);
  const message = outer?.['Message'];
  const inner = typeof message === 'string' ? parsed(message) : outer;
  return inner === null ? null : recipientsOf(inner);
}

/** Mailers fold long lines, also within strings: line ends go. What follows the document is not read. */
function parsed(text: string): Members | null {
  const end = text.lastIndexOf('}');
  const document = text.slice(0, Math.min(end + 1, limits.reportTextChars)).replace(/\n[ \t]?/g, '');
  try {
    return membersOf(JSON.parse(document));
  } catch {
    return null;
  }
}

function membersOf(value: unknown): Members | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : null;
}

function textOf(members: Members, name: string): string {
  const value = Object.hasOwn(members, name) ? members[name] : undefined;
  return typeof value === 'string' ? value.slice(0, limits.reportLineChars) : '';
}

function listOf(members: Members | null, name: string): unknown[] {
  const value = members !== null && Object.hasOwn(members, name) ? members[name] : undefined;
  return Array.isArray(value) ? value.slice(0, limits.reportRecipients) : [];
}

function membersIn(members: Members | null, name: string): Members[] {
  return listOf(members, name).flatMap((one) => {
    const found = membersOf(one);
    return found === null ? [] : [found];
  });
}

function recipientsOf(document: Members): NotifiedRecipient[] | null {
  switch (textOf(document, 'notificationType')) {
    case 'Bounce':
      return bounced(membersOf(document['bounce']));
    case 'Complaint':
      return membersIn(membersOf(document['complaint']), 'complainedRecipients').map((one) => ({
        address: textOf(one, 'emailAddress'),
        action: 'complained',
        status: '',
        diagnostic: '',
      }));
    case 'Delivery':
      return delivered(membersOf(document['delivery']));
    default:
      return null;
  }
}

function bounced(bounce: Members | null): NotifiedRecipient[] {
  const action = bounce !== null && textOf(bounce, 'bounceType') === 'Transient' ? 'delayed' : 'failed';
  return membersIn(bounce, 'bouncedRecipients').map((one) => ({
    address: textOf(one, 'emailAddress'),
    action: textOf(one, 'action') === 'delayed' ? 'delayed' : action,
    status: textOf(one, 'status'),
    diagnostic: textOf(one, 'diagnosticCode'),
  }));
}

function delivered(delivery: Members | null): NotifiedRecipient[] {
  const diagnostic = delivery === null ? '' : textOf(delivery, 'smtpResponse');
  return listOf(delivery, 'recipients').flatMap((address) =>
    typeof address === 'string' ? [{ address, action: 'delivered', status: '', diagnostic }] : [],
  );
}
