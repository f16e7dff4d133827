/**
 * A mail's way in, from the end of its data to the answer (steps 5 to 11 of `docs/architecture.md`). Whoever reads
 * "accepted" from here may forget the mail: content, deliveries and events are on disk (invariant I1).
 */
import type { Clock } from '../base/clock.ts';
import { crashPoint } from '../base/crash-point.ts';
import { mailIdParts } from '../base/id.ts';
import type { DeliveryFacts, MailFacts } from '../events/event.ts';
import { type MailClass, mailClassOf } from '../protocol/smtp/envelope-options.ts';
import type { Queue } from '../queue/queue.ts';
import type { ContentPlace, Spool } from '../spool/spool.ts';
import type { GroupCommit } from '../store/store.ts';
import type { CountedQuota, Tenants } from '../tenants/tenants.ts';
import { admit, type Ending, heldByQuota, quotaRefusal } from './admission.ts';
import { type Envelope, envelopeOf } from './envelope.ts';
import { heldUntil } from './hold.ts';
import type { Lease, Leases } from './leases.ts';
import { newDelivery } from './new-delivery.ts';
import type { Notify } from './notices.ts';
import type { DecidedDelivery } from './notify-sender.ts';
import { type PreparedMail, prepare } from './prepare.ts';
import { recordRejection } from './rejection.ts';
import type { Attempt } from './relay.ts';
import type { RetryPlan, RetryPlans } from './retry.ts';
import { senderRight } from './sender-rights.ts';
import type { Sign } from './sign.ts';
import { refusal, type Submission, type SubmissionResult } from './submission.ts';
import { holdForWarmUp } from './warm-up-hold.ts';

export interface SubmitDeps {
  clock: Clock;
  newMailId(): number;
  hostname: string;
  node: string;
  plans: RetryPlans;
  tenants: Tenants;
  queue: Queue;
  spool: Spool;
  commit: GroupCommit;
  leases: Leases;
  sign: Sign;
  /** Tells the sender of what is suppressed, in the transaction that inserts the mail. */
  notify: Notify;
  /** Begins the attempts whose leases were written with the mail. */
  begin(attempts: Attempt[]): void;
}

interface AcceptedMail {
  facts: MailFacts;
  content: Buffer;
  deliveries: DeliveryFacts[];
  envelope: Envelope;
}

interface MailWithLeases extends AcceptedMail {
  leases: readonly Lease[];
}

export async function submit(submission: Submission, deps: SubmitDeps): Promise<SubmissionResult> {
  const mailId = deps.newMailId();
  const { at: acceptedAt } = mailIdParts(mailId);
  const prepared = prepare(submission, { mailId, acceptedAt, hostname: deps.hostname });
  if (!prepared.ok) return prepared;
  const plan = deps.plans.of(submission.tenantId, mailClassOf(submission.options?.priority ?? null));
  const split = () => splitPaths(prepared, submission, { ...deps, plan });

  const right = senderRight(deps.tenants, submission, prepared);
  if (!right.ok) {
    await recordRejection(prepared.facts, split(), 'sender-domain', deps);
    return refusal(550, '5.7.1', `Sender refused: ${right.problem}`);
  }
  const facts = { ...prepared.facts, sendingDomain: right.sendingDomain };
  const admission = admit(deps.tenants, submission, facts);
  if (!admission.ok) {
    if (admission.recorded) await recordRejection(facts, split(), admission.recorded, deps);
    return admission;
  }
  const deliveries = split()
    .map((delivery) => endedIf(delivery, admission.endOf(delivery.forwardPath)))
    .map((delivery) => held(delivery, submission, { clock: deps.clock, plan }));
  const signed = await deps.sign(facts, prepared.content);
  if (!signed.ok) return signed;
  const envelope = envelopeOf(submission, deliveries);
  const full = await enqueue({ facts, content: signed.content, deliveries, envelope }, deps);
  return full ? quotaRefusal(full) : { ok: true, mailId };
}

/** One delivery per forward-path; a path given twice is one. */
function splitPaths(
  { facts, toMailboxes }: PreparedMail,
  { forwardPaths }: Submission,
  circumstances: Parameters<typeof newDelivery>[2],
): DeliveryFacts[] {
  const names = new Map(toMailboxes.map(({ address, name }) => [address.toLowerCase(), name]));
  return [...new Set(forwardPaths)].map((forwardPath, index) => {
    const displayName = names.get(forwardPath.toLowerCase()) ?? '';
    return newDelivery({ n: index + 1, forwardPath, displayName }, facts.acceptedAt, circumstances);
  });
}

/** Suppressed and denied addresses end here. */
function endedIf(facts: DeliveryFacts, ending: Ending | null): DeliveryFacts {
  return ending ? { ...facts, ...ending, nextAttemptAt: null } : facts;
}

/** What the sender wants held is held, unless its time came while the content was sent. */
function held(
  facts: DeliveryFacts,
  { holdUntil = null }: Submission,
  { clock, plan }: { clock: Clock; plan: RetryPlan },
): DeliveryFacts {
  if (facts.state !== 'queued' || holdUntil === null || holdUntil <= clock.now()) return facts;
  return heldUntil(facts, holdUntil, plan);
}

/**
 * Where there is room, the first attempt is leased with the mail itself: one transaction instead of two. Resolves with
 * the quota that is full, if one is that refuses; then nothing was written.
 */
async function enqueue(mail: AcceptedMail, deps: SubmitDeps): Promise<CountedQuota | null> {
  const { mailId, acceptedAt } = mail.facts;
  const leases = deps.leases.takeForNewMail(
    { mailId, tenantId: mail.facts.tenantId, class: classOf(mail) },
    mail.deliveries.filter((delivery) => delivery.state === 'queued'),
  );
  const leasedNow = new Set(leases.flatMap((lease) => lease.numbers));
  const deliveries = mail.deliveries.map((delivery) =>
    leasedNow.has(delivery.n)
      ? { ...delivery, leased: true, attempts: 1, firstAttemptAt: acceptedAt, lastAttemptAt: acceptedAt }
      : delivery,
  );
  let inserted: Inserted = { ok: true, deliveries: [] };
  try {
    const place = await deps.spool.place(mail.content, deps.commit.idle());
    crashPoint('content-written');
    inserted = await deps.commit
      .run(() => insert({ ...mail, deliveries, leases }, place, deps))
      .finally(() => deps.spool.settled(place));
  } catch (fault) {
    for (const lease of leases) deps.leases.release(lease, 'silent');
    throw fault;
  }
  if (inserted.ok) crashPoint('mail-committed');
  beginLeased(mail, inserted.ok ? inserted.deliveries : [], leases, deps);
  return inserted.ok ? null : inserted.full;
}

function classOf({ envelope }: AcceptedMail): MailClass {
  return mailClassOf(envelope.options?.priority ?? null);
}

/** What a quota holds has lost its lease again. */
function beginLeased(
  { facts, content, envelope }: AcceptedMail,
  deliveries: readonly DeliveryFacts[],
  leases: readonly Lease[],
  deps: SubmitDeps,
): void {
  const attempts = leases.map((lease) => {
    const ofLease = deliveries.filter(({ n, leased }) => leased && lease.numbers.includes(n));
    return { lease, mail: facts, content, deliveries: ofLease, envelope };
  });
  for (const { lease, deliveries: none } of attempts)
    if (none.length === 0) deps.leases.release(lease, 'silent');
  deps.begin(attempts.filter((attempt) => attempt.deliveries.length > 0));
}

type Inserted = { ok: true; deliveries: DeliveryFacts[] } | { ok: false; full: CountedQuota };

function insert(mail: MailWithLeases, place: ContentPlace, deps: SubmitDeps): Inserted {
  const { queue, spool, clock } = deps;
  const counted = count(mail, deps);
  if (!counted.ok) return counted;
  const { facts, content, envelope } = mail;
  const { deliveries } = counted;
  const { options, forwardPathOptions } = envelope;
  for (const lease of mail.leases) lease.reservation?.write();
  spool.keep(facts.mailId, place, content);
  queue.insertMail({ facts, content: place, options });
  const at = clock.now();
  for (const delivery of deliveries) {
    queue.insertDelivery(facts.mailId, {
      facts: delivery,
      destination: delivery.domain,
      options: forwardPathOptions.get(delivery.n) ?? null,
      class: classOf(mail),
    });
    if (counted.waiting.has(delivery.n)) queue.holdFor(facts.mailId, delivery.n, facts.tenantId);
    const event = { mailId: facts.mailId, at, delivery, status: null, engagement: null };
    if (delivery.state === 'suppressed' || delivery.state === 'held') {
      // Taken like every other, so that each accepted forward-path has exactly one `accepted`.
      queue.record({ ...event, type: 'accepted', delivery: { ...delivery, state: 'queued', reason: null } });
      queue.record({ ...event, type: delivery.state });
    } else {
      queue.record({ ...event, type: delivery.state === 'rejected' ? 'rejected' : 'accepted' });
    }
    if (delivery.state === 'queued' && !delivery.leased) holdIfWarmingUp(mail, delivery, deps);
  }
  const suppressed = deliveries.filter(({ state }) => state === 'suppressed');
  if (suppressed.length > 0) deps.notify(facts.mailId, suppressed.map(asDecided(envelope)));
  return counted;
}

/** Where source addresses have sent what they may today. */
function holdIfWarmingUp(mail: AcceptedMail, { n, domain }: DeliveryFacts, deps: SubmitDeps): void {
  const { mailId, tenantId } = mail.facts;
  const until = deps.leases.warmUpUntil({ mailId, tenantId, class: classOf(mail) }, domain);
  if (until !== null) holdForWarmUp(deps.queue, { mailId, n }, { until, now: deps.clock.now() });
}

function asDecided({ forwardPathOptions }: Envelope): (facts: DeliveryFacts) => DecidedDelivery {
  return (facts) => ({
    ...{ type: 'suppressed', before: facts, facts, status: null, remoteNotifies: false },
    options: forwardPathOptions.get(facts.n) ?? null,
  });
}

type Counted = (Inserted & { ok: true; waiting: ReadonlySet<number> }) | (Inserted & { ok: false });

/** The quotas of the tenant: whether the mail is taken, and which of its deliveries, the last ones, have to wait. */
function count({ facts, deliveries }: AcceptedMail, { tenants }: SubmitDeps): Counted {
  const toGo = deliveries.filter(({ state }) => state === 'queued');
  const accepted = deliveries.filter(({ state }) => state === 'queued' || state === 'held').length;
  const answer = tenants.takeQuota(facts.tenantId, { accepted, toGo: toGo.length });
  if (answer.kind === 'refused') return { ok: false, full: answer.by };
  const { held: waits, by } = answer;
  if (by === null) return { ok: true, deliveries, waiting: nobody };
  const waiting = new Set(toGo.slice(toGo.length - waits).map(({ n }) => n));
  const counted = deliveries.map((delivery) =>
    waiting.has(delivery.n) ? heldByQuota(delivery, by) : delivery,
  );
  return { ok: true, deliveries: counted, waiting };
}

const nobody: ReadonlySet<number> = new Set();
