/**
 * A mail's way in, from the end of its data to the answer (steps 5 to 11 of `docs/architecture.md`). Whoever reads
 * "accepted" from here may forget the mail: content, deliveries and events are on disk (invariant I1).
 */
import type { Clock } from '../base/clock.ts';
import { crashPoint } from '../base/crash-point.ts';
import { mailIdParts } from '../base/id.ts';
import type { DeliveryFacts, MailFacts } from '../events/event.ts';
import type { Reason } from '../events/reason.ts';
import { domainOf } from '../protocol/address/address.ts';
import type { NamedAddress } from '../protocol/message/fields.ts';
import { mailClassOf } from '../protocol/smtp/envelope-options.ts';
import type { Queue } from '../queue/queue.ts';
import type { ContentPlace, Spool } from '../spool/spool.ts';
import type { GroupCommit } from '../store/store.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { type Envelope, envelopeOf } from './envelope.ts';
import { heldUntil } from './hold.ts';
import type { Leases } from './leases.ts';
import { prepare } from './prepare.ts';
import { providerOf } from './provider.ts';
import type { Attempt } from './relay.ts';
import { expiryOf, type RetryPlan } from './retry.ts';
import { senderRight } from './sender-rights.ts';
import type { Sign } from './sign.ts';
import { refusal, type Submission, type SubmissionResult } from './submission.ts';

export interface SubmitDeps {
  clock: Clock;
  newMailId(): number;
  hostname: string;
  node: string;
  plan: RetryPlan;
  tenants: Tenants;
  queue: Queue;
  spool: Spool;
  commit: GroupCommit;
  leases: Leases;
  sign: Sign;
  /** Begins the attempts whose leases were written with the mail. */
  begin(attempts: Attempt[]): void;
}

interface AcceptedMail {
  facts: MailFacts;
  content: Buffer;
  deliveries: DeliveryFacts[];
  envelope: Envelope;
}

export async function submit(submission: Submission, deps: SubmitDeps): Promise<SubmissionResult> {
  const mailId = deps.newMailId();
  const { at: acceptedAt } = mailIdParts(mailId);
  const prepared = prepare(submission, { mailId, acceptedAt, hostname: deps.hostname });
  if (!prepared.ok) return prepared;

  const right = senderRight(deps.tenants, submission, prepared.facts);
  if (!right.ok) {
    await recordRejection(prepared.facts, submission, deps);
    return refusal(550, '5.7.1', `Sender refused: ${right.problem}`);
  }
  const facts = { ...prepared.facts, sendingDomain: right.sendingDomain };
  const deliveries = hold(split(facts, submission, prepared.toMailboxes, deps), submission, deps);
  const signed = await deps.sign(facts, prepared.content);
  if (!signed.ok) return signed;
  const envelope = envelopeOf(submission, deliveries);
  await enqueue({ facts, content: signed.content, deliveries, envelope }, deps);
  return { ok: true, mailId };
}

/** One delivery per forward-path; a path given twice is one. Suppressed addresses end here. */
function split(
  facts: MailFacts,
  { forwardPaths }: Submission,
  mailboxes: NamedAddress[],
  deps: SubmitDeps,
): DeliveryFacts[] {
  const names = new Map(mailboxes.map(({ address, name }) => [address.toLowerCase(), name]));
  return [...new Set(forwardPaths)].map((forwardPath, index) => {
    const displayName = names.get(forwardPath.toLowerCase()) ?? '';
    const facts0 = newDelivery({ n: index + 1, forwardPath, displayName }, facts, deps);
    const suppression = deps.tenants.suppressionOf(facts.tenantId, forwardPath);
    return suppression ? ended(facts0, 'suppressed', `suppress-${suppression.kind}`) : facts0;
  });
}

/** What the sender wants held is held, unless its time came while the content was sent. */
function hold(
  deliveries: DeliveryFacts[],
  { holdUntil = null }: Submission,
  { clock, plan }: SubmitDeps,
): DeliveryFacts[] {
  if (holdUntil === null || holdUntil <= clock.now()) return deliveries;
  return deliveries.map((facts) => (facts.state === 'queued' ? heldUntil(facts, holdUntil, plan) : facts));
}

function newDelivery(
  path: Pick<DeliveryFacts, 'n' | 'forwardPath' | 'displayName'>,
  { acceptedAt }: MailFacts,
  { node, plan }: SubmitDeps,
): DeliveryFacts {
  const domain = domainOf(path.forwardPath);
  return {
    ...path,
    domain,
    provider: providerOf(domain),
    state: 'queued',
    stateAt: acceptedAt,
    attempts: 0,
    deferrals: 0,
    firstAttemptAt: null,
    lastAttemptAt: null,
    deliveredAt: null,
    nextAttemptAt: acceptedAt,
    expiresAt: expiryOf(plan, acceptedAt),
    leased: false,
    reason: null,
    replyCode: null,
    enhancedStatus: '',
    diagnostic: '',
    remoteMta: '',
    remoteMtaAddress: '',
    sendingIp: '',
    node,
  };
}

function ended(facts: DeliveryFacts, state: 'suppressed' | 'rejected', reason: Reason): DeliveryFacts {
  const diagnostic =
    state === 'suppressed' ? 'not tried: the address is on the suppression list' : 'refused at submission';
  return { ...facts, state, reason, nextAttemptAt: null, diagnostic };
}

/** Where there is room, the first attempt is leased with the mail itself: one transaction instead of two. */
async function enqueue(mail: AcceptedMail, deps: SubmitDeps): Promise<void> {
  const { mailId, acceptedAt } = mail.facts;
  const leases = deps.leases.takeForNewMail(
    mailId,
    mail.deliveries.filter((delivery) => delivery.state === 'queued'),
  );
  const leasedNow = new Set(leases.flatMap((lease) => lease.numbers));
  const deliveries = mail.deliveries.map((delivery) =>
    leasedNow.has(delivery.n)
      ? { ...delivery, leased: true, attempts: 1, firstAttemptAt: acceptedAt, lastAttemptAt: acceptedAt }
      : delivery,
  );
  try {
    const place = await deps.spool.place(mail.content);
    crashPoint('content-written');
    await deps.commit
      .run(() => insert({ ...mail, deliveries }, place, deps))
      .finally(() => deps.spool.settled(place));
  } catch (fault) {
    for (const lease of leases) deps.leases.release(lease);
    throw fault;
  }
  crashPoint('mail-committed');
  const { envelope } = mail;
  const ofLease = (numbers: number[]) => deliveries.filter((delivery) => numbers.includes(delivery.n));
  deps.begin(
    leases.map((lease) => ({
      lease,
      mail: mail.facts,
      content: mail.content,
      deliveries: ofLease(lease.numbers),
      envelope,
    })),
  );
}

function insert(mail: AcceptedMail, place: ContentPlace, { queue, spool, clock }: SubmitDeps): void {
  const { facts, content, deliveries, envelope } = mail;
  const { options, forwardPathOptions } = envelope;
  spool.keep(facts.mailId, place, content);
  queue.insertMail({ facts, content: place, options });
  const at = clock.now();
  for (const delivery of deliveries) {
    queue.insertDelivery(facts.mailId, {
      facts: delivery,
      destination: delivery.domain,
      options: forwardPathOptions.get(delivery.n) ?? null,
      class: mailClassOf(options?.priority ?? null),
    });
    const event = { mailId: facts.mailId, at, delivery, status: null, engagement: null };
    if (delivery.state === 'suppressed' || delivery.state === 'held') {
      // Taken like every other, so that each accepted forward-path has exactly one `accepted`.
      queue.record({ ...event, type: 'accepted', delivery: { ...delivery, state: 'queued', reason: null } });
      queue.record({ ...event, type: delivery.state });
    } else {
      queue.record({ ...event, type: 'accepted' });
    }
  }
}

async function recordRejection(facts: MailFacts, submission: Submission, deps: SubmitDeps): Promise<void> {
  const { mailId } = facts;
  const deliveries = split(facts, submission, [], deps);
  await deps.commit.run(() => {
    deps.queue.insertMail({ facts, content: null });
    for (const delivery of deliveries) {
      const rejected = ended({ ...delivery, state: 'queued' }, 'rejected', 'sender-domain');
      deps.queue.record({
        mailId,
        type: 'rejected',
        at: deps.clock.now(),
        delivery: rejected,
        status: null,
        engagement: null,
      });
    }
  });
}
