/**
 * Histories of mail for tests and benchmarks: what an outbox could hold after a while of real work.
 * A history is played from plans (who mailed whom, and what became of it), so that every delivery lives
 * a valid life (canonical model, section 4) and every event carries the facts as they stood right after
 * it. Two sources of plans share the player: `historyArbitrary` for properties (it shrinks to the mail
 * that matters) and `generateHistory`, deterministic and fast, for volume.
 */
import fc from 'fast-check';
import type { DeliveryStatus, Stage } from '../../src/events/delivery-status.ts';
import type {
  DeliveryFacts,
  DeliveryState,
  Engagement,
  EventType,
  MailEvent,
  MailFacts,
} from '../../src/events/event.ts';
import type { Reason } from '../../src/events/reason.ts';
import type { Batch } from '../../src/ledger/ledger.ts';

/** How a delivery ends, or where it stands when the history ends. */
export const fates = [
  'queued',
  'held',
  'deferred',
  'delivered',
  'failed',
  'expired',
  'suppressed',
  'rejected',
  'canceled',
  'returned',
] as const;
export type Fate = (typeof fates)[number];

export interface EngagementPlan {
  type: 'opened' | 'clicked' | 'unsubscribed' | 'complained';
  /** Time since the step before it. */
  afterMs: number;
  /** Picks device, client, country and bot from small tables. */
  variant: number;
}

export interface DeliveryPlan {
  forwardPath: string;
  displayName: string;
  fate: Fate;
  /** Temporary failures before the end. */
  deferrals: number;
  heldFirst: boolean;
  /** Time between two steps of its life. */
  stepMs: number;
  /** Picks reason, remote MTA, sending IP and texts from small tables. */
  variant: number;
  /** Only of delivered mail. */
  engagements: EngagementPlan[];
}

export interface MailPlan {
  tenantId: number;
  streamId: number;
  sendingDomain: string;
  acceptedAt: number;
  subject: string;
  fromName: string;
  localPart: string;
  replyTo: string;
  tags: string[];
  template: string;
  authenticated: boolean;
  nullReversePath: boolean;
  variant: number;
  deliveries: DeliveryPlan[];
}

export interface History {
  /** Name of the outbox: `Batch.node`. */
  node: string;
  /** In outbox order, sequence from `first` without a hole. */
  events: MailEvent[];
}

export interface PlayOptions {
  node?: string;
  /** Node bits of the mail ids, 0 to 31. */
  nodeNumber?: number;
  /** Sequence of the first event. */
  firstSequence?: number;
  /** Outbox order may differ from the order of time by up to this much. */
  latenessMs?: number;
}

/** 2024-01-01T00:00:00Z, where mail ids begin. */
const mailIdEpochMs = Date.UTC(2024, 0, 1);

/** Instants that cut days, months and years in the zones that tests look at, and some that do not. */
export const zoneEdges: readonly number[] = [
  '2024-02-29T23:59:59.999Z',
  '2024-12-31T23:59:59.999Z',
  '2025-01-01T05:00:00Z', // New Year in New York
  '2024-12-31T18:30:00Z', // New Year in Kolkata
  '2025-03-09T07:00:00Z', // New York: 02:00 becomes 03:00
  '2025-11-02T06:00:00Z', // New York: 02:00 becomes 01:00
  '2025-03-09T05:00:00Z', // and the midnights around both
  '2025-03-10T04:00:00Z',
  '2025-11-02T04:00:00Z',
  '2025-11-03T05:00:00Z',
  '2025-04-05T15:00:00Z', // Lord Howe: half an hour back
  '2025-10-04T15:30:00Z', // Lord Howe: half an hour forward
  '2025-04-05T13:00:00Z',
  '2025-04-06T13:30:00Z',
  '2025-06-30T18:30:00Z', // month end in Kolkata
  '2025-06-15T12:00:00Z',
].map((text) => Date.parse(text));

export const edgeZones = [
  'UTC',
  'America/New_York',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
] as const;

/* ---- tables the variants pick from ---- */

function pick<T>(table: readonly T[], variant: number): T {
  const picked = table[Math.abs(variant) % table.length];
  if (picked === undefined) throw new Error('an empty table has nothing to pick');
  return picked;
}

const providers = new Map([
  ['gmail.com', 'gmail.com'],
  ['googlemail.com', 'gmail.com'],
  ['outlook.com', 'outlook.com'],
  ['hotmail.com', 'outlook.com'],
  ['yahoo.com', 'yahoo.com'],
]);

const sendingIps = ['192.0.2.10', '192.0.2.11', '2001:db8::25'] as const;

interface Verdict {
  stage: Stage;
  code: number | null;
  enhanced: string;
  text: string;
  reason: Reason;
}

const temporaryVerdicts: readonly Verdict[] = [
  { stage: 'rcpt', code: 450, enhanced: '4.2.0', text: 'Greylisted, try again later', reason: 'greylisted' },
  {
    stage: 'mail',
    code: 421,
    enhanced: '4.7.0',
    text: 'Unusual rate of mail from your IP',
    reason: 'espblock',
  },
  { stage: 'rcpt', code: 452, enhanced: '4.2.2', text: 'Mailbox full\nover quota', reason: 'mailbox-full' },
  { stage: 'connect', code: null, enhanced: '4.4.1', text: 'connection timed out', reason: 'connect' },
  { stage: 'end-of-data', code: 451, enhanced: '4.3.0', text: 'Try again', reason: 'generic' },
];

const permanentVerdicts: readonly Verdict[] = [
  { stage: 'rcpt', code: 550, enhanced: '5.1.1', text: 'No such user here', reason: 'bounce' },
  {
    stage: 'end-of-data',
    code: 554,
    enhanced: '5.7.1',
    text: 'Message refused by policy',
    reason: 'espblock',
  },
  { stage: 'dns', code: null, enhanced: '5.4.4', text: 'no MX and no address', reason: 'no-mx' },
  { stage: 'rcpt', code: 552, enhanced: '5.2.2', text: "It's full: «boîte pleine»", reason: 'mailbox-full' },
];

const rejectReasons: readonly Reason[] = ['sender-domain', 'deny-rule', 'template'];
const suppressReasons: readonly Reason[] = ['suppress-bounce', 'suppress-complaint', 'suppress-unsubscribe'];

const devices = ['desktop', 'mobile', 'tablet', 'unknown'] as const;
const countries = ['de', 'us', 'in', 'au', ''] as const;

/* ---- one life ---- */

interface Step {
  at: number;
  type: EventType;
  mail: MailFacts;
  delivery: DeliveryFacts;
  status: DeliveryStatus | null;
  engagement: Engagement | null;
}

/** Writes one delivery's life down, step by step. */
class Life {
  readonly steps: Step[] = [];
  readonly #mail: MailFacts;
  readonly #plan: DeliveryPlan;
  #at: number;
  #facts: DeliveryFacts;

  constructor(mail: MailFacts, plan: DeliveryPlan, n: number, node: string) {
    this.#mail = mail;
    this.#plan = plan;
    this.#at = mail.acceptedAt;
    this.#facts = birthFacts(mail, plan, n, node);
  }

  note(type: EventType, changes: Partial<DeliveryFacts>, status: DeliveryStatus | null = null): void {
    this.#facts = { ...this.#facts, ...changes };
    this.#push(type, status, null);
  }

  move(
    type: EventType,
    state: DeliveryState,
    changes: Partial<DeliveryFacts>,
    status: DeliveryStatus | null = null,
  ) {
    this.note(type, { ...changes, state, stateAt: this.#at, leased: false }, status);
  }

  engage(plan: EngagementPlan): void {
    this.#at += plan.afterMs;
    this.#push(plan.type, null, engagementOf(plan));
  }

  wait(): void {
    this.#at += this.#plan.stepMs;
  }

  attempt(verdict: Verdict | null, outcome: DeliveryStatus['outcome']): DeliveryStatus {
    this.wait();
    const startedAt = this.#at;
    const status = statusOf(this.#plan, verdict, outcome, startedAt);
    this.note('attempted', {
      attempts: this.#facts.attempts + 1,
      firstAttemptAt: this.#facts.firstAttemptAt ?? startedAt,
      lastAttemptAt: startedAt,
      nextAttemptAt: null,
      leased: true,
    });
    this.#at += status.durationMs;
    return status;
  }

  defer(): void {
    const verdict = pick(temporaryVerdicts, this.#plan.variant + this.#facts.deferrals);
    const status = this.attempt(verdict, 'deferred');
    const changes = { ...verdictFacts(status), deferrals: this.#facts.deferrals + 1 };
    this.move('deferred', 'deferred', { ...changes, nextAttemptAt: this.#at + this.#plan.stepMs }, status);
  }

  deliver(): void {
    const status = this.attempt(null, 'delivered');
    this.move(
      'delivered',
      'delivered',
      { ...verdictFacts(status), deliveredAt: this.#at, nextAttemptAt: null },
      status,
    );
  }

  fail(type: 'failed' | 'expired'): void {
    const verdict = pick(type === 'failed' ? permanentVerdicts : temporaryVerdicts, this.#plan.variant);
    const status = this.attempt(verdict, 'failed');
    const reason = type === 'expired' ? 'old' : verdict.reason;
    this.move(type, type, { ...verdictFacts(status), reason, nextAttemptAt: null }, { ...status, reason });
  }

  end(type: 'suppressed' | 'canceled' | 'rejected', reason: Reason): void {
    this.move(type, type, { reason, diagnostic: `${type}: ${reason}`, nextAttemptAt: null });
  }

  returned(): void {
    this.wait();
    const verdict = pick(permanentVerdicts, this.#plan.variant);
    this.move('returned', 'failed', {
      reason: 'bounce',
      replyCode: verdict.code,
      enhancedStatus: verdict.enhanced,
      diagnostic: verdict.text,
    });
  }

  #push(type: EventType, status: DeliveryStatus | null, engagement: Engagement | null): void {
    this.steps.push({ at: this.#at, type, mail: this.#mail, delivery: this.#facts, status, engagement });
  }
}

function birthFacts(mail: MailFacts, plan: DeliveryPlan, n: number, node: string): DeliveryFacts {
  const domain = plan.forwardPath.slice(plan.forwardPath.lastIndexOf('@') + 1).toLowerCase();
  return {
    n,
    forwardPath: plan.forwardPath,
    domain,
    provider: providers.get(domain) ?? domain,
    displayName: plan.displayName,
    state: 'queued',
    stateAt: mail.acceptedAt,
    attempts: 0,
    deferrals: 0,
    firstAttemptAt: null,
    lastAttemptAt: null,
    deliveredAt: null,
    nextAttemptAt: mail.acceptedAt,
    expiresAt: mail.acceptedAt + 5 * 24 * 3_600_000,
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

function statusOf(
  plan: DeliveryPlan,
  verdict: Verdict | null,
  outcome: DeliveryStatus['outcome'],
  startedAt: number,
): DeliveryStatus {
  const said = verdict ?? {
    stage: 'end-of-data',
    code: 250,
    enhanced: '2.0.0',
    text: 'OK queued',
    reason: null,
  };
  const met = said.stage !== 'dns' && said.stage !== 'connect';
  const host = `mx${(plan.variant % 2) + 1}.${plan.forwardPath.slice(plan.forwardPath.lastIndexOf('@') + 1).toLowerCase()}`;
  return {
    outcome,
    stage: said.stage,
    reply: said.code === null ? null : { code: said.code, text: said.text },
    enhancedStatus: { value: said.enhanced, origin: plan.variant % 3 === 0 ? 'assigned' : 'received' },
    reason: said.reason,
    diagnostic:
      said.code === null ? said.text : `${said.code} ${said.enhanced} ${said.text.replaceAll('\n', ' ')}`,
    remoteMta: said.stage === 'dns' ? null : { name: host, address: met ? '198.51.100.7' : '', port: 25 },
    sendingIp: met ? pick(sendingIps, plan.variant) : '',
    tls:
      met && plan.variant % 4 !== 0
        ? { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', verified: plan.variant % 2 === 0 }
        : null,
    startedAt,
    durationMs: 20 + (Math.abs(plan.variant) % 700),
  };
}

function verdictFacts(status: DeliveryStatus): Partial<DeliveryFacts> {
  return {
    reason: status.reason,
    replyCode: status.reply?.code ?? null,
    enhancedStatus: status.enhancedStatus.value,
    diagnostic: status.diagnostic,
    remoteMta: status.remoteMta?.name ?? '',
    remoteMtaAddress: status.remoteMta?.address ?? '',
    sendingIp: status.sendingIp,
  };
}

function engagementOf({ variant }: EngagementPlan): Engagement {
  const isBot = variant % 7 === 0;
  return {
    clientIp: `203.0.113.${Math.abs(variant) % 250}`,
    userAgent: isBot ? 'GoogleImageProxy' : 'Mozilla/5.0 (X11; Linux x86_64)',
    device: isBot ? 'unknown' : pick(devices, variant),
    client: isBot ? '' : 'Firefox',
    os: isBot ? '' : 'Linux',
    isBot,
    country: pick(countries, variant),
    url: variant % 2 === 0 ? '' : `https://example.com/?q=${variant}&x='%00"`,
  };
}

function live(mail: MailFacts, plan: DeliveryPlan, n: number, node: string): Step[] {
  const life = new Life(mail, plan, n, node);
  if (plan.fate === 'rejected') {
    life.end('rejected', pick(rejectReasons, plan.variant));
    return life.steps;
  }
  life.note('accepted', {});
  if (plan.fate === 'suppressed') {
    life.end('suppressed', pick(suppressReasons, plan.variant));
    return life.steps;
  }
  travel(life, plan);
  return life.steps;
}

function travel(life: Life, plan: DeliveryPlan): void {
  if (plan.heldFirst || plan.fate === 'held') {
    life.wait();
    life.move('held', 'held', { reason: 'rate-limited', nextAttemptAt: null });
    if (plan.fate === 'held') return;
    life.wait();
    life.move('released', 'queued', {});
  }
  if (plan.fate === 'queued') return;
  const deferrals = plan.fate === 'deferred' ? Math.max(1, plan.deferrals) : plan.deferrals;
  for (let count = 0; count < deferrals; count += 1) life.defer();
  finish(life, plan);
}

function finish(life: Life, plan: DeliveryPlan): void {
  switch (plan.fate) {
    case 'delivered':
    case 'returned':
      life.deliver();
      if (plan.fate === 'returned') life.returned();
      for (const engagement of plan.engagements) life.engage(engagement);
      return;
    case 'failed':
    case 'expired':
      life.fail(plan.fate);
      life.wait();
      life.note('notified', {});
      return;
    case 'canceled':
      life.wait();
      life.end('canceled', 'canceled');
      return;
    default:
      return;
  }
}

/* ---- the player ---- */

/** Plays plans into the order of one outbox. Mails of two calls differ when their times or node numbers do. */
export function play(plans: readonly MailPlan[], options: PlayOptions = {}): History {
  const node = options.node ?? 'node-1';
  const numbers = new Map<number, number>();
  const steps = plans.flatMap((plan) => playMail(plan, nextOfMs(numbers, plan.acceptedAt), options));
  const order = outboxOrder(steps, options.latenessMs ?? 0);
  const first = options.firstSequence ?? 1;
  return { node, events: order.map((step, index) => ({ sequence: first + index, ...step })) };
}

/** Number of a mail within its millisecond: the sequence bits of its id. */
function nextOfMs(numbers: Map<number, number>, acceptedAt: number): number {
  const number = numbers.get(acceptedAt) ?? 0;
  if (number > 127) throw new Error('a mail id has room for 128 mails a millisecond');
  numbers.set(acceptedAt, number + 1);
  return number;
}

function playMail(plan: MailPlan, numberOfMs: number, options: PlayOptions): Step[][] {
  const mail = mailFacts(plan, numberOfMs, options.nodeNumber ?? 1);
  return plan.deliveries.map((delivery, at) => live(mail, delivery, at + 1, options.node ?? 'node-1'));
}

/** By time, or up to `latenessMs` off it; one delivery's steps never overtake each other. */
function outboxOrder(lives: readonly Step[][], latenessMs: number): Step[] {
  const placed: { place: number; step: Step }[] = [];
  lives.forEach((steps, index) => {
    let place = 0;
    steps.forEach((step, at) => {
      const late = latenessMs === 0 ? 0 : ((index * 7919 + at * 104_729) % 997) / 997;
      place = Math.max(place, step.at + late * latenessMs);
      placed.push({ place, step });
    });
  });
  return placed.sort((a, b) => a.place - b.place).map(({ step }) => step);
}

function mailFacts(plan: MailPlan, numberOfMs: number, nodeNumber: number): MailFacts {
  const fromAddress = `${plan.localPart}@${plan.sendingDomain || 'nowhere.example'}`;
  return {
    mailId: (plan.acceptedAt - mailIdEpochMs) * 4096 + nodeNumber * 128 + numberOfMs,
    tenantId: plan.tenantId,
    streamId: plan.streamId,
    sendingDomain: plan.sendingDomain,
    acceptedAt: plan.acceptedAt,
    reversePath: plan.nullReversePath ? '' : fromAddress,
    fromField: { address: fromAddress, name: plan.fromName },
    toField: plan.deliveries
      .map(({ displayName, forwardPath }) => `${displayName} <${forwardPath}>`.trim())
      .join(', '),
    replyTo: plan.replyTo,
    subject: plan.subject,
    messageIdField: `${numberOfMs.toString(36)}.${plan.acceptedAt.toString(36)}.${plan.variant}@${plan.sendingDomain}`,
    contentBytes: 1500 + (plan.variant % 90_000),
    bodyBytes: 1000 + (plan.variant % 90_000),
    origin: `10.0.${plan.streamId % 250}.${plan.variant % 250}`,
    transport: pick(['smtp', 'smtps', 'http'] as const, plan.variant),
    protocol: pick(['ESMTPA', 'ESMTPSA', 'HTTP'], plan.variant),
    authenticated: plan.authenticated,
    tags: plan.tags,
    template: plan.template,
    category: pick(['TXN', 'OTP', 'MKT', ''], plan.variant),
  };
}

/** Cuts a history into the batches a writer would append. */
export function batchesOf(history: History, size: number): Batch[] {
  const batches: Batch[] = [];
  for (let start = 0; start < history.events.length; start += size) {
    const events = history.events.slice(start, start + size);
    const first = events[0]?.sequence ?? 0;
    batches.push({ node: history.node, first, last: first + events.length - 1, events });
  }
  return batches;
}

/* ---- plans from a seed: fast and deterministic ---- */

export interface GenerateOptions extends PlayOptions {
  mails: number;
  tenants: number;
  /** 1: all tenants alike; more: the first ones send most of the mail, as it is in life. */
  tenantSkew: number;
  streamsPerTenant: number;
  domainsPerTenant: number;
  /** Mails are accepted in `[from, to)`; with `edges` also around the zone edges. */
  from: number;
  to: number;
  edges: boolean;
  maxForwardPaths: number;
  /** How often each fate comes up, relative to the others. */
  fateWeights: Partial<Record<Fate, number>>;
  /** Chance that a delivered mail is opened. */
  openRate: number;
}

export const realisticFates: Partial<Record<Fate, number>> = {
  delivered: 900,
  failed: 35,
  expired: 5,
  suppressed: 20,
  rejected: 10,
  returned: 10,
  canceled: 2,
  queued: 5,
  held: 3,
  deferred: 10,
};

const evenFates: Partial<Record<Fate, number>> = Object.fromEntries(fates.map((fate) => [fate, 1]));

const defaults: GenerateOptions = {
  mails: 100,
  tenants: 3,
  tenantSkew: 1,
  streamsPerTenant: 2,
  domainsPerTenant: 2,
  from: Date.UTC(2025, 0, 1),
  to: Date.UTC(2025, 3, 1),
  edges: true,
  maxForwardPaths: 3,
  fateWeights: evenFates,
  openRate: 0.5,
};

/** A small fast generator (mulberry32): the same seed gives the same history on every machine. */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function generateHistory(seed: number, options: Partial<GenerateOptions> = {}): History {
  const settled = { ...defaults, ...options };
  return play(generatePlans(seed, settled), settled);
}

/** The same volume in slices of time, so that a benchmark needs not hold it all. */
export function* generateSlices(
  seed: number,
  options: Partial<GenerateOptions>,
  mailsPerSlice: number,
): Generator<History> {
  const settled = { ...defaults, ...options };
  let sequence = settled.firstSequence ?? 1;
  for (let before = 0; before < settled.mails; before += mailsPerSlice) {
    const mails = Math.min(mailsPerSlice, settled.mails - before);
    const width = (settled.to - settled.from) / settled.mails;
    const from = Math.floor(settled.from + before * width);
    const to = Math.max(from + 1, Math.floor(from + mails * width));
    const slice = { ...settled, mails, from, to, edges: false, firstSequence: sequence };
    const history = play(generatePlans(seed + before, slice), slice);
    sequence += history.events.length;
    yield history;
  }
}

function generatePlans(seed: number, options: GenerateOptions): MailPlan[] {
  const random = randomSource(seed);
  const below = (bound: number) => Math.floor(random() * bound);
  const fateOf = weighted(options.fateWeights);
  const plans: MailPlan[] = [];
  for (let index = 0; index < options.mails; index += 1) {
    const tenantId = 1 + Math.floor(random() ** options.tenantSkew * options.tenants);
    const variant = below(100_000);
    plans.push({
      tenantId,
      streamId: 10_000 + tenantId * 100 + below(options.streamsPerTenant),
      sendingDomain: `mail${below(options.domainsPerTenant)}.tenant${tenantId}.example`,
      acceptedAt: acceptedAt(random, options),
      subject:
        pick(['Your invoice', 'Reset your password', 'Grüße aus Köln', "It's a 'deal' \\ \"now\""], variant) +
        ` ${below(50)}`,
      fromName: pick(['Example Ltd', '', 'Ünïcode'], variant),
      localPart: pick(['news', 'billing', 'no-reply'], below(3)),
      replyTo: variant % 3 === 0 ? 'support@example.com' : '',
      tags: pick([[], ['welcome'], ['invoice', 'monthly'], ['__proto__'], ["a'b"]], below(5)),
      template: variant % 4 === 0 ? 'welcome-1' : '',
      authenticated: variant % 10 !== 0,
      nullReversePath: variant % 50 === 0,
      variant,
      deliveries: Array.from({ length: 1 + below(options.maxForwardPaths) }, () =>
        deliveryPlan(random, fateOf, options),
      ),
    });
  }
  return plans.map(rejectTogether);
}

/** A submission is refused as a whole. */
function rejectTogether(plan: MailPlan): MailPlan {
  if (plan.deliveries[0]?.fate !== 'rejected') {
    const deliveries = plan.deliveries.map((delivery) =>
      delivery.fate === 'rejected' ? { ...delivery, fate: 'failed' as const } : delivery,
    );
    return { ...plan, deliveries };
  }
  return {
    ...plan,
    deliveries: plan.deliveries.map((delivery) => ({ ...delivery, fate: 'rejected' as const })),
  };
}

function acceptedAt(random: () => number, options: GenerateOptions): number {
  if (!options.edges || random() < 0.4)
    return Math.floor(options.from + random() * (options.to - options.from));
  const edge = pick(zoneEdges, Math.floor(random() * zoneEdges.length));
  return Math.floor(edge + (random() - 0.5) * 2 * 3_600_000);
}

function weighted(weights: Partial<Record<Fate, number>>): (random: number) => Fate {
  const known = fates.map((fate) => ({ fate, weight: weights[fate] ?? 0 }));
  const sum = known.reduce((total, { weight }) => total + weight, 0);
  return (random) => {
    let left = random * sum;
    for (const { fate, weight } of known) {
      left -= weight;
      if (left < 0) return fate;
    }
    return 'delivered';
  };
}

function deliveryPlan(
  random: () => number,
  fateOf: (random: number) => Fate,
  options: GenerateOptions,
): DeliveryPlan {
  const below = (bound: number) => Math.floor(random() * bound);
  const domain = pick(
    ['gmail.com', 'googlemail.com', 'outlook.com', 'yahoo.com', `shop${below(200)}.example`],
    below(6),
  );
  return {
    forwardPath: `${pick(['ann', 'Bob', "o'hara", 'dev+tag'], below(4))}${below(1000)}@${domain}`,
    displayName: random() < 0.5 ? '' : 'Ann “A.” Example',
    fate: fateOf(random()),
    deferrals: random() < 0.8 ? 0 : 1 + below(3),
    heldFirst: random() < 0.05,
    stepMs: 200 + below(60_000),
    variant: below(100_000),
    engagements: random() < options.openRate ? engagementPlans(random) : [],
  };
}

function engagementPlans(random: () => number): EngagementPlan[] {
  const below = (bound: number) => Math.floor(random() * bound);
  const types = ['opened', 'opened', 'clicked', 'opened', 'clicked', 'unsubscribed', 'complained'] as const;
  return Array.from({ length: 1 + below(3) }, () => ({
    type: pick(types, below(types.length)),
    afterMs: below(6 * 3_600_000),
    variant: below(100_000),
  }));
}

/* ---- plans from fast-check: they shrink ---- */

/** Text that hurts: quotes, escapes, control characters, other scripts, names of the object prototype. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 30 }) },
  fc.constantFrom(
    '',
    "'; DROP TABLE events --",
    "\\' OR 1=1 --",
    '{tenantId:UInt64}',
    '__proto__',
    'constructor',
    'a\nb\r\n\tc',
    'nul\0nul',
    '\\N',
    'NULL',
    '%_%',
    'Ω≈ç√ 邮件 🕊️ ‮rtl',
    '\u2028\ufeff',
    '"quoted"`tick`',
  ),
);

const engagementArbitrary: fc.Arbitrary<EngagementPlan> = fc.record({
  type: fc.constantFrom('opened', 'clicked', 'unsubscribed', 'complained'),
  afterMs: fc.nat({ max: 30 * 3_600_000 }),
  variant: fc.nat({ max: 1000 }),
});

const deliveryArbitrary: fc.Arbitrary<DeliveryPlan> = fc.record({
  forwardPath: fc.constantFrom(
    'ann@gmail.com',
    'Bob@shop.example',
    'c@googlemail.com',
    "o'h+x@xn--mnchen-3ya.example",
  ),
  displayName: hostileText,
  fate: fc.constantFrom(...fates),
  deferrals: fc.nat({ max: 3 }),
  heldFirst: fc.boolean(),
  stepMs: fc.integer({ min: 1, max: 3 * 3_600_000 }),
  variant: fc.nat({ max: 1000 }),
  engagements: fc.array(engagementArbitrary, { maxLength: 4 }),
});

const acceptedAtArbitrary: fc.Arbitrary<number> = fc
  .tuple(fc.constantFrom(...zoneEdges), fc.integer({ min: -2 * 3_600_000, max: 2 * 3_600_000 }))
  .map(([edge, offset]) => edge + offset);

export const mailPlanArbitrary: fc.Arbitrary<MailPlan> = fc
  .record({
    tenantId: fc.integer({ min: 1, max: 3 }),
    streamId: fc.constantFrom(10_001, 10_002),
    sendingDomain: fc.constantFrom('a.example', 'b.example', ''),
    acceptedAt: acceptedAtArbitrary,
    subject: hostileText,
    fromName: hostileText,
    localPart: fc.constantFrom('news', 'No-Reply'),
    replyTo: fc.constantFrom('', 'support@a.example'),
    tags: fc.uniqueArray(hostileText, { maxLength: 3 }),
    template: fc.constantFrom('', 'welcome'),
    authenticated: fc.boolean(),
    nullReversePath: fc.boolean(),
    variant: fc.nat({ max: 1000 }),
    deliveries: fc.array(deliveryArbitrary, { minLength: 1, maxLength: 3 }),
  })
  .map(rejectTogether);

export const historyArbitrary: fc.Arbitrary<History> = fc
  .tuple(fc.array(mailPlanArbitrary, { maxLength: 12 }), fc.constantFrom(0, 0, 60_000))
  .map(([plans, latenessMs]) => play(plans, { latenessMs }));
