/** The facts of an imported mail in the form of the product's own. What no log line told is empty. */
import { importedMailId, mailIdEpoch } from '../base/id.ts';
import type { MailFacts } from '../events/event.ts';
import { domainOf } from '../protocol/address/address.ts';
import type { ImportedMail } from './imported-mail.ts';

/** Whose mail it is. */
export interface Owner {
  tenantId: number;
  streamId: number;
  /** Verified sending domains. */
  domains: ReadonlySet<string>;
}

export function mailFactsOf(mail: ImportedMail, mailId: number, owner: Owner): MailFacts {
  const { facts } = mail;
  const reversePath = facts.reversePath ?? '';
  const fromField = facts.fromField ?? { address: reversePath, name: '' };
  return {
    mailId,
    tenantId: owner.tenantId,
    streamId: owner.streamId,
    sendingDomain: sendingDomainOf(fromField.address, owner) || sendingDomainOf(reversePath, owner),
    acceptedAt: mail.acceptedAt,
    reversePath,
    fromField,
    toField: facts.toField ?? mail.deliveries[0]?.forwardPath ?? '',
    replyTo: '',
    subject: facts.subject ?? '',
    messageIdField: facts.messageIdField ?? '',
    contentBytes: facts.contentBytes ?? 0,
    bodyBytes: facts.contentBytes ?? 0,
    origin: facts.origin ?? '',
    transport: facts.transport ?? 'smtp',
    protocol: facts.protocol ?? 'ESMTP',
    authenticated: facts.authenticated ?? false,
    tags: facts.tags ?? [],
    template: facts.template ?? '',
    category: '',
  };
}

/** The domain itself or the nearest above it. */
function sendingDomainOf(address: string, { domains }: Owner): string {
  for (let name = domainOf(address); name.includes('.'); name = name.slice(name.indexOf('.') + 1))
    if (domains.has(name)) return name;
  return '';
}

/** Always the same for the same mail, unless another imported one has the id. */
export function giveMailId(seed: Buffer, acceptedAt: number, isFree: (mailId: number) => boolean): number {
  const hash = seed.readUInt32BE(0);
  for (let attempt = 0; ; attempt += 1) {
    const mailId = importedMailId(Math.min(acceptedAt, latest), hash, attempt);
    if (isFree(mailId)) return mailId;
  }
}

/** Ids end in 2093. */
const latest = mailIdEpoch + 2 ** 41 - 86_400_000;
