/**
 * 400 days of mail, made up as fast as the ledger takes it, the same on every machine. Minute by minute: new mails
 * come by the hour of the day and in bursts; the whole life of each delivery is told at once and its later steps
 * (retries, opens, a DSN) wait in the minutes they belong to.
 *
 * An event stands for about 1/2.6 of a delivery. The relay writes `attempted` before every verdict; here only a third
 * of the deliveries has it, the others are told as the logs of other mail servers tell them.
 */
import type { DeliveryStatus } from '../../src/events/delivery-status.ts';
import type { DeliveryFacts, EventType, MailEvent, MailFacts } from '../../src/events/event.ts';
import { randomSource } from '../../test/support/histories.ts';
import * as people from './population.ts';
import { below, hex, type Random, wait } from './random.ts';

export const days = 400;
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
export const historyEnd = Date.UTC(2026, 5, 1);
export const historyBegin = historyEnd - days * dayMs;
/** Events of one delivery, by what follows; the number of mails is made from it. */
export const eventsPerDelivery = 2.62;
const deliveriesPerMail = 1.06;
const mailIdEpochMs = Date.UTC(2024, 0, 1);
const noFacts: Partial<DeliveryFacts> = {};

type Step = Omit<MailEvent, 'sequence'>;

/** Blocks of about `size` events in outbox order. They end when `events` were told or the 400 days are over. */
export function* historyBlocks(events: number, size: number): Generator<MailEvent[]> {
  const teller = new Teller(events);
  let block: MailEvent[] = [];
  let sequence = 0;
  for (let minute = 0; minute < days * 1440 && sequence < events; minute += 1) {
    for (const step of teller.minute(minute)) {
      sequence += 1;
      block.push({ sequence, ...step });
      if (block.length === size) {
        yield block;
        block = [];
      }
      if (sequence === events) break;
    }
  }
  if (block.length > 0) yield block;
}

class Teller {
  readonly #random = randomSource(20_260_601);
  readonly #mailsPerMinute: number;
  readonly #waiting = new Map<number, Step[]>();
  readonly #pickTenant: (random: Random) => number;
  #burst = { tenant: 0, until: -1 };
  #lastMs = { at: 0, mails: 0 };

  constructor(events: number) {
    this.#mailsPerMinute = (events * 1.02) / eventsPerDelivery / deliveriesPerMail / (days * 1440);
    this.#pickTenant = tenantPicker();
  }

  minute(minute: number): Step[] {
    const begin = historyBegin + minute * minuteMs;
    for (let mails = this.#mailsOf(minute); mails > 0; mails -= 1) this.#tell(begin, minute);
    const steps = this.#waiting.get(minute) ?? [];
    this.#waiting.delete(minute);
    return steps.sort((a, b) => a.at - b.at);
  }

  /** Busy by day, quiet by night. */
  #mailsOf(minute: number): number {
    const hour = (minute / 60) % 24;
    const expected = this.#mailsPerMinute * (1 - 0.7 * Math.cos(((hour - 3) / 24) * 2 * Math.PI));
    return Math.floor(expected) + (this.#random() < expected % 1 ? 1 : 0);
  }

  /** A newsletter of one tenant now and then takes half of a quarter of an hour. */
  #tenant(minute: number): number {
    const random = this.#random;
    if (minute > this.#burst.until && random() < 0.0005)
      this.#burst = { tenant: this.#pickTenant(random), until: minute + 15 };
    return minute <= this.#burst.until && random() < 0.5 ? this.#burst.tenant : this.#pickTenant(random);
  }

  #tell(begin: number, minute: number): void {
    const random = this.#random;
    const tenant = this.#tenant(minute);
    const acceptedAt = begin + below(random, minuteMs);
    const mail = mailOf(random, tenant, { acceptedAt, numberOfMs: this.#numberOfMs(acceptedAt) });
    const count = random() < 0.97 ? 1 : 2 + below(random, 3);
    const recipients = Array.from({ length: count }, () => recipientOf(random, tenant));
    mail.toField = recipients.map(({ address }) => address).join(', ');
    recipients.forEach((recipient, index) => {
      for (const step of tellLife(random, mail, recipient, index + 1)) this.#place(step);
    });
  }

  #numberOfMs(at: number): number {
    this.#lastMs = { at, mails: (this.#lastMs.mails + 1) % 128 };
    return this.#lastMs.mails;
  }

  #place(step: Step): void {
    const minute = Math.floor((step.at - historyBegin) / minuteMs);
    const waiting = this.#waiting.get(minute);
    if (waiting) waiting.push(step);
    else this.#waiting.set(minute, [step]);
  }
}

/** Tenants are numbered from 1, the largest first. */
function tenantPicker(): (random: Random) => number {
  const places = new Uint16Array(65_536);
  let reached = 0;
  let place = 0;
  people.tenantShares.forEach((share, index) => {
    reached += share;
    for (; place < reached * places.length && place < places.length; place += 1) places[place] = index + 1;
  });
  return (random) => places[below(random, places.length)] || 1;
}

interface Birth {
  acceptedAt: number;
  numberOfMs: number;
}

function mailOf(random: Random, tenantId: number, { acceptedAt, numberOfMs }: Birth): MailFacts {
  const template = people.pickTemplate(random);
  const stream = below(random, tenantId < 20 ? 3 : 1);
  const sendingDomain = `${stream === 0 ? 'mail' : 'news'}.customer${tenantId}.example`;
  const address = `${template.localPart}@${sendingDomain}`;
  const bytes = template.bytes + below(random, template.bytes >> 3);
  const smtp = random() < 0.6;
  return {
    ...{
      mailId: (acceptedAt - mailIdEpochMs) * 4096 + 128 + numberOfMs,
      tenantId,
      streamId: 10_000 + tenantId * 10 + stream,
    },
    ...{ sendingDomain, acceptedAt, reversePath: random() < 0.01 ? '' : address },
    fromField: { address, name: `Customer ${tenantId}` },
    toField: '',
    replyTo: template.localPart === 'no-reply' ? '' : `support@customer${tenantId}.example`,
    subject: template.subject.replace('#', () => String(100_000 + below(random, 900_000))),
    messageIdField: `${hex(random, 8)}-${hex(random, 4)}-${hex(random, 4)}-${hex(random, 4)}-${hex(random, 12)}@${sendingDomain}`,
    ...{ contentBytes: bytes, bodyBytes: bytes - 900 - below(random, 300) },
    origin: `10.${tenantId % 200}.0.${1 + below(random, 12)}`,
    ...(smtp ? { transport: 'smtp', protocol: 'ESMTPSA' } : { transport: 'http', protocol: 'HTTP' }),
    authenticated: true,
    tags: [...template.tags],
    ...{ template: template.name, category: template.category },
  };
}

interface Recipient {
  address: string;
  domain: string;
  provider: people.Provider;
}

const companies = new Map<number, people.Provider>();

function companyOf(number: number): people.Provider {
  let company = companies.get(number);
  if (!company) {
    const name = `company${number}.example`;
    company = {
      name,
      weight: 0,
      hosts: [`mx${1 + (number % 2)}.${name}`],
      addresses: [`203.0.113.${number % 250}`],
      accepts: '2.0.0 Ok: queued as ',
      tls: number % 5 === 0 ? '' : 'TLS_AES_256_GCM_SHA384',
    };
    companies.set(number, company);
  }
  return company;
}

/** Each tenant writes to people of its own, to some of them often. */
function recipientOf(random: Random, tenant: number): Recipient {
  const provider =
    people.pickProvider(random) ?? companyOf(Math.floor(random() ** 3 * people.companyDomains));
  const population = 4_000_000 / tenant;
  const person = Math.floor(random() ** 2 * population) + tenant * 7919;
  return { address: `${people.localPartOf(person)}@${provider.name}`, domain: provider.name, provider };
}

function birthOf(mail: MailFacts, { address, domain }: Recipient, n: number): DeliveryFacts {
  const { acceptedAt } = mail;
  return {
    ...{
      n,
      forwardPath: address,
      domain,
      provider: domain,
      displayName: '',
      state: 'queued',
      stateAt: acceptedAt,
    },
    ...{ attempts: 0, deferrals: 0, firstAttemptAt: null, lastAttemptAt: null, deliveredAt: null },
    ...{ nextAttemptAt: acceptedAt, expiresAt: acceptedAt + 5 * dayMs, leased: false, reason: null },
    ...{ replyCode: null, enhancedStatus: '', diagnostic: '', remoteMta: '', remoteMtaAddress: '' },
    ...{ sendingIp: '', node: 'relay-1' },
  };
}

/** One delivery, step by step. */
class Life {
  readonly steps: Step[] = [];
  readonly #mail: MailFacts;
  readonly #withAttempts: boolean;
  delivery: DeliveryFacts;
  at: number;

  constructor(mail: MailFacts, delivery: DeliveryFacts, withAttempts: boolean) {
    this.#mail = mail;
    this.#withAttempts = withAttempts;
    this.delivery = delivery;
    this.at = mail.acceptedAt;
  }

  note(type: EventType, changes: Partial<DeliveryFacts>, status: DeliveryStatus | null = null): void {
    this.delivery = { ...this.delivery, ...changes };
    this.steps.push({
      type,
      at: this.at,
      mail: this.#mail,
      delivery: this.delivery,
      status,
      engagement: null,
    });
  }

  attempt(): void {
    const { attempts, firstAttemptAt } = this.delivery;
    const changes = {
      attempts: attempts + 1,
      firstAttemptAt: firstAttemptAt ?? this.at,
      lastAttemptAt: this.at,
    };
    if (this.#withAttempts) this.note('attempted', { ...changes, leased: true });
    else this.delivery = { ...this.delivery, ...changes };
  }

  engage(random: Random, type: 'opened' | 'clicked' | 'unsubscribed' | 'complained'): void {
    const reader = people.pickReader(random);
    const engagement = {
      ...{ clientIp: `192.0.2.${below(random, 250)}`, userAgent: reader.userAgent, device: reader.device },
      ...{ client: reader.client, os: reader.os, isBot: reader.isBot },
      country: people.countries[below(random, people.countries.length)] ?? '',
      url:
        type === 'clicked'
          ? `https://www.customer${this.#mail.tenantId}.example/p/${below(random, 1000)}`
          : '',
    };
    this.steps.push({
      type,
      at: this.at,
      mail: this.#mail,
      delivery: this.delivery,
      status: null,
      engagement,
    });
  }
}

function tellLife(random: Random, mail: MailFacts, recipient: Recipient, n: number): Step[] {
  const life = new Life(mail, birthOf(mail, recipient, n), random() < 0.33);
  const fate = random();
  if (fate < 0.008) {
    life.note('rejected', {
      state: 'rejected',
      reason: 'sender-domain',
      nextAttemptAt: null,
      diagnostic: 'not taken: the domain is not verified',
    });
    return life.steps;
  }
  life.note('accepted', noFacts);
  if (fate < 0.03) {
    life.note('suppressed', {
      state: 'suppressed',
      reason: 'suppress-bounce',
      nextAttemptAt: null,
      diagnostic: 'not tried: the address is on the suppression list',
    });
    return life.steps;
  }
  life.at += 20 + wait(random, fate < 0.9 ? 300 : 20_000);
  for (let turn = 0; random() < (turn === 0 ? 0.06 : 0.4); turn += 1) defer(random, life, recipient, turn);
  if (fate < 0.06) refuse(random, life, recipient, fate < 0.034);
  else deliver(random, life, recipient);
  return life.steps;
}

function defer(random: Random, life: Life, recipient: Recipient, turn: number): void {
  life.attempt();
  const said = people.pickTemporary(random);
  const status = refusalStatus(random, life, { recipient, said, outcome: 'deferred' });
  life.at += status.durationMs;
  const waitMs = (5 + below(random, 3)) * minuteMs * 2 ** turn;
  const changes = {
    state: 'deferred',
    stateAt: life.at,
    deferrals: life.delivery.deferrals + 1,
    nextAttemptAt: life.at + waitMs,
    leased: false,
  } as const;
  life.note('deferred', { ...changes, ...verdictOf(status) }, status);
  life.at += waitMs + below(random, 2000);
}

function refuse(random: Random, life: Life, recipient: Recipient, expired: boolean): void {
  life.attempt();
  const said = expired ? people.pickTemporary(random) : people.pickPermanent(random);
  const status = refusalStatus(random, life, { recipient, said, outcome: 'failed' });
  life.at += status.durationMs;
  const type = expired ? 'expired' : 'failed';
  const reason = expired ? ('old' as const) : status.reason;
  life.note(
    type,
    { state: type, stateAt: life.at, nextAttemptAt: null, leased: false, ...verdictOf(status), reason },
    { ...status, reason },
  );
}

function deliver(random: Random, life: Life, recipient: Recipient): void {
  life.attempt();
  const { provider } = recipient;
  const text = `${provider.accepts}${hex(random, 10).toUpperCase()}`;
  const said = { stage: 'end-of-data', code: 250, enhanced: '2.0.0', text } as const;
  const status = statusOf(random, life, { recipient, said, outcome: 'delivered', reason: null });
  life.at += status.durationMs;
  life.note(
    'delivered',
    {
      state: 'delivered',
      stateAt: life.at,
      deliveredAt: life.at,
      nextAttemptAt: null,
      leased: false,
      ...verdictOf(status),
    },
    status,
  );
  if (random() < 0.003) {
    life.at += wait(random, 6 * 3_600_000);
    life.note('returned', {
      state: 'failed',
      stateAt: life.at,
      reason: 'bounce',
      replyCode: 550,
      enhancedStatus: '5.1.1',
      diagnostic: '550 5.1.1 user unknown',
    });
  }
  read(random, life, recipient);
}

/** Opens, soon for most, after weeks for some. */
function read(random: Random, life: Life, { domain }: Recipient): void {
  if (random() > 0.15) return;
  for (let turn = 0; turn < 4 && random() < (turn === 0 ? 1 : 0.3); turn += 1) {
    life.at += wait(random, random() < 0.05 ? 10 * dayMs : 2 * 3_600_000);
    life.engage(random, 'opened');
    if (random() < 0.15) {
      life.at += wait(random, minuteMs);
      life.engage(random, 'clicked');
    }
  }
  if (random() < 0.01) life.engage(random, domain === 'yahoo.com' ? 'complained' : 'unsubscribed');
}

interface Said {
  stage: DeliveryStatus['stage'];
  code: number | null;
  enhanced: string;
  text: string;
}

interface Verdict {
  recipient: Recipient;
  said: Said;
  outcome: DeliveryStatus['outcome'];
  reason: DeliveryStatus['reason'];
}

function refusalStatus(
  random: Random,
  life: Life,
  { recipient, said, outcome }: Omit<Verdict, 'reason' | 'said'> & { said: people.Refusal },
): DeliveryStatus {
  return statusOf(random, life, { recipient, said, outcome, reason: said.reason });
}

function statusOf(random: Random, life: Life, { recipient, said, outcome, reason }: Verdict): DeliveryStatus {
  const { hosts, addresses, tls } = recipient.provider;
  const met = said.stage !== 'dns' && said.stage !== 'connect';
  const remoteMta = {
    name: hosts[below(random, hosts.length)] ?? '',
    address: met ? (addresses[below(random, addresses.length)] ?? '') : '',
    port: 25,
  };
  return {
    ...{
      outcome,
      stage: said.stage,
      reply: said.code === null ? null : { code: said.code, text: said.text },
    },
    ...{ enhancedStatus: { value: said.enhanced, origin: 'received' }, reason },
    diagnostic: said.code === null ? said.text : `${said.code} ${said.enhanced} ${said.text}`,
    remoteMta: said.stage === 'dns' ? null : remoteMta,
    sendingIp: met ? `192.0.2.${10 + (life.delivery.attempts % 2) + below(random, 3) * 2}` : '',
    tls: met && tls !== '' ? { version: 'TLSv1.3', cipher: tls, verified: true } : null,
    ...{ startedAt: life.at, durationMs: 120 + wait(random, 500) },
  };
}

function verdictOf(status: DeliveryStatus): Partial<DeliveryFacts> {
  return {
    ...{
      reason: status.reason,
      replyCode: status.reply?.code ?? null,
      enhancedStatus: status.enhancedStatus.value,
    },
    ...{ diagnostic: status.diagnostic, remoteMta: status.remoteMta?.name ?? '' },
    ...{ remoteMtaAddress: status.remoteMta?.address ?? '', sendingIp: status.sendingIp },
  };
}
