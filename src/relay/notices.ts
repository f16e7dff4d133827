/**
 * Queues our notifications to senders, within the transaction of the verdicts they tell of (invariant I2): a mail of
 * the installation itself with a null reverse-path, and a `notified` event for each delivery it tells of.
 * `notify-sender.ts` says whether one is due.
 *
 * Only a reverse-path that is under a verified sending domain of the tenant is written to. Whoever submits may name
 * any other, so a notification to it could go to somebody who sent nothing (backscatter).
 */
import type { Clock } from '../base/clock.ts';
import { mailIdParts, relayIdOf } from '../base/id.ts';
import type { Log } from '../base/log.ts';
import type { MailFacts } from '../events/event.ts';
import { addressesIn, decodedText, messageIdIn } from '../protocol/message/fields.ts';
import { readHeaderSection } from '../protocol/message/header-section.ts';
import type { Queue, QueuedMail } from '../queue/queue.ts';
import type { Spool } from '../spool/spool.ts';
import { installationTenant, type Tenants } from '../tenants/tenants.ts';
import { newDelivery } from './new-delivery.ts';
import {
  type DecidedDelivery,
  type NoticeMail,
  type NoticePolicy,
  noticeFor,
  writeNotice,
} from './notify-sender.ts';
import type { RetryPlan } from './retry.ts';
import { ownDomainOf } from './sender-rights.ts';
import type { SignNow } from './sign.ts';

/** Tells the sender of a mail what was decided of its deliveries. Within the transaction that writes the decisions. */
export type Notify = (mailId: number, decided: readonly DecidedDelivery[]) => void;

export interface NoticeDeps {
  clock: Clock;
  hostname: string;
  node: string;
  plan: RetryPlan;
  /** Null: nobody is notified. */
  policy: NoticePolicy | null;
  tenants: Tenants;
  queue: Queue;
  spool: Spool;
  signNow: SignNow;
  newMailId(): number;
  log: Log;
}

export function createNotify(deps: NoticeDeps): Notify {
  const { clock, policy, queue, hostname } = deps;
  return (mailId, decided) => {
    const mail = policy === null ? null : queue.mail(mailId);
    if (policy === null || mail === null || !mayNotify(mail.facts, policy, deps.tenants)) return;
    const now = clock.now();
    const notice = noticeFor({ mail: mail.facts, options: mail.options ?? null, decided, now, policy });
    if (notice === null) return;
    const noticeId = deps.newMailId();
    const messageId = `${relayIdOf(noticeId)}@${hostname}`;
    const content = contentOf(mail, deps);
    enqueue(noticeId, writeNotice(notice, { content, hostname, messageId }), deps);
    for (const { facts } of decided.filter(({ facts: { n } }) => notice.numbers.includes(n))) {
      queue.record({ mailId, type: 'notified', at: now, delivery: facts, status: null, engagement: null });
    }
  };
}

function mayNotify({ tenantId, reversePath }: MailFacts, { to }: NoticePolicy, tenants: Tenants): boolean {
  return reversePath !== '' && (to === 'any' || ownDomainOf(tenants, tenantId, reversePath) !== '');
}

/** Of a mail that was cleared, or cannot be read, the sender gets to see what is remembered. */
function contentOf({ facts, content: place }: QueuedMail, { spool, log }: NoticeDeps): Buffer {
  const read = place && spool.read(facts.mailId, place);
  if (read?.ok) return read.content;
  if (read) log.warn({ mailId: facts.mailId, problem: read.problem }, 'a notification lacks the mail');
  const { fromField, toField, subject, messageIdField } = facts;
  const fields = [
    ...[`From: ${fromField.address}`, `To: ${toField}`, `Subject: ${subject}`],
    `Message-ID: <${messageIdField}>`,
  ];
  return Buffer.from(`${fields.map((field) => field.replace(/[\r\n]+/g, ' ')).join('\r\n')}\r\n\r\n`);
}

function enqueue(mailId: number, mail: NoticeMail, deps: NoticeDeps): void {
  const { queue, spool, clock } = deps;
  const content = deps.signNow(mailId, mail.content);
  const facts = factsOf(mailId, mail.forwardPath, content);
  queue.insertMail({ facts, content: spool.keepMade(mailId, content), options: mail.options });
  const path = { n: 1, forwardPath: mail.forwardPath, displayName: '' };
  const delivery = newDelivery(path, facts.acceptedAt, deps);
  const destination = delivery.domain;
  queue.insertDelivery(mailId, { facts: delivery, destination, options: mail.forwardPathOptions });
  queue.record({ mailId, type: 'accepted', at: clock.now(), delivery, status: null, engagement: null });
}

function factsOf(mailId: number, forwardPath: string, content: Buffer): MailFacts {
  const header = readHeaderSection(content);
  if (!header.ok) throw new Error(`a notification of ours cannot be read: ${header.problem}`);
  const { fields, bodyOffset } = header;
  return {
    ...{ mailId, tenantId: installationTenant.id, streamId: 0, sendingDomain: '', reversePath: '' },
    acceptedAt: mailIdParts(mailId).at,
    fromField: addressesIn(fields, 'from')[0] ?? { address: '', name: '' },
    toField: forwardPath,
    replyTo: '',
    subject: decodedText(fields, 'subject'),
    messageIdField: messageIdIn(fields),
    contentBytes: content.length,
    bodyBytes: content.length - bodyOffset,
    ...{ origin: '', transport: 'smtp', protocol: '', authenticated: true },
    ...{ tags: [], template: '', category: '' },
  };
}
