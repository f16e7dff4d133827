/**
 * One attempt (steps 12 to 18 of `docs/architecture.md`): route, targets, connect, converse, classify. It ends with
 * one `DeliveryStatus` per forward-path; what becomes of each is `settle.ts`.
 */
import type { Clock } from '../base/clock.ts';
import type { DeliveryStatus, RemoteMta, TlsFacts } from '../events/delivery-status.ts';
import type { DeliveryFacts, MailFacts } from '../events/event.ts';
import { noForwardPathOptions } from '../protocol/smtp/envelope-options.ts';
import {
  type ConnectOptions,
  defaultTimeouts,
  type Observation,
  type OutgoingMail,
  type SessionPool,
} from '../smtp-client/smtp-client.ts';
import { classify } from './classify.ts';
import type { Envelope } from './envelope.ts';
import { rehearsalMta, rehearse } from './rehearsal.ts';
import { type NextHop, type Route, routeOf } from './route.ts';
import { type FindTargets, targetsOf } from './targets.ts';

export interface DeliverDeps {
  clock: Clock;
  hostname: string;
  nextHop: NextHop | null;
  findTargets: FindTargets;
  sessions: SessionPool;
}

export interface AttemptedMail {
  facts: MailFacts;
  content: Buffer;
  /** Of one route; `domain` is that of the first. */
  deliveries: readonly DeliveryFacts[];
  envelope: Envelope;
}

/** What was heard, and from whom. */
interface Heard {
  observation: Observation;
  remoteMta: RemoteMta | null;
  sendingIp: string;
  tls: TlsFacts | null;
}

export async function deliver(mail: AttemptedMail, deps: DeliverDeps): Promise<DeliveryStatus[]> {
  const startedAt = deps.clock.now();
  const domain = mail.deliveries[0]?.domain ?? '';
  const route = routeOf(domain, deps.nextHop);
  const heard =
    route.kind === 'rehearsal'
      ? await rehearseAll(mail, deps.clock)
      : await converseWithTargets(mail, route, deps);
  const durationMs = deps.clock.now() - startedAt;
  return mail.deliveries.map((delivery, index) => {
    const { observation, ...facts } = heard[index] ?? unheard(delivery);
    const verdict = classify(observation, { provider: delivery.provider });
    return {
      ...verdict,
      stage: observation.stage,
      reply: observation.reply,
      ...facts,
      startedAt,
      durationMs,
    };
  });
}

async function rehearseAll({ deliveries }: AttemptedMail, clock: Clock): Promise<Heard[]> {
  const observations = await Promise.all(
    deliveries.map((delivery) => rehearse(delivery.forwardPath, delivery.attempts, clock)),
  );
  return observations.map((observation) => ({
    observation,
    remoteMta: rehearsalMta,
    sendingIp: '127.0.0.1',
    tls: null,
  }));
}

/** Tries the targets in order until one has given every forward-path an answer that another would not change. */
async function converseWithTargets(
  mail: AttemptedMail,
  route: Exclude<Route, { kind: 'rehearsal' }>,
  deps: DeliverDeps,
): Promise<Heard[]> {
  const targets = await targetsOf(route, deps.findTargets);
  if (!targets.ok) return mail.deliveries.map(() => nowhere(targets.observation));
  if (mail.envelope.options?.requireTls && route.kind === 'mx' && !targets.authentic) {
    return mail.deliveries.map(() => nowhere(unproven(route.domain)));
  }
  let heard: Heard[] = [];
  for (const target of targets.targets) {
    heard = await converse(mail, target, route, deps);
    if (!worthAnotherTarget(heard)) return heard;
  }
  return heard;
}

async function converse(
  mail: AttemptedMail,
  target: RemoteMta,
  route: Route,
  deps: DeliverDeps,
): Promise<Heard[]> {
  const nextHop = route.kind === 'next-hop' ? route.nextHop : null;
  const options: ConnectOptions = {
    target,
    greetingName: deps.hostname,
    ...tlsFor(mail, nextHop),
    ...(nextHop?.credentials ? { credentials: nextHop.credentials } : {}),
    timeouts: defaultTimeouts,
  };
  const { observations, sendingIp, tls } = await deps.sessions.send(options, {
    reversePath: mail.facts.reversePath,
    forwardPaths: mail.deliveries.map((delivery) => delivery.forwardPath),
    content: mail.content,
    ...askedFor(mail),
  });
  return observations.map((observation) => ({ observation, remoteMta: target, sendingIp, tls }));
}

/** RFC 8689 §4.2.1: a certificate proves little about a host whose name anybody on the way could have given us. */
function unproven(domain: string): Observation {
  const text = `the MX hosts of ${domain} are not proven by DNSSEC or MTA-STS, and the mail requires TLS all the way`;
  return { stage: 'ehlo', reply: null, enhancedStatus: '5.7.30', cause: 'unsupported', text };
}

/** Mail with REQUIRETLS leaves under TLS with a valid certificate only, whatever the route says (RFC 8689). */
function tlsFor(
  { envelope }: AttemptedMail,
  nextHop: NextHop | null,
): Pick<ConnectOptions, 'tls' | 'requireTls'> {
  const tls = nextHop?.tls ?? 'opportunistic';
  if (!envelope.options?.requireTls) return { tls };
  return { tls: tls === 'implicit' ? 'implicit' : 'required', requireTls: true };
}

function askedFor({
  envelope,
  deliveries,
}: AttemptedMail): Pick<OutgoingMail, 'options' | 'forwardPathOptions'> {
  const { options, forwardPathOptions } = envelope;
  const optionsAt = ({ n }: DeliveryFacts) => forwardPathOptions.get(n) ?? noForwardPathOptions;
  return {
    ...(options ? { options } : {}),
    ...(forwardPathOptions.size === 0 ? {} : { forwardPathOptions: deliveries.map(optionsAt) }),
  };
}

/** RFC 5321 §5.1: the next host is tried when this one could not be reached or did not want to talk. */
function worthAnotherTarget(heard: readonly Heard[]): boolean {
  const siteStages = ['connect', 'greeting', 'ehlo', 'tls'];
  return heard.every(({ observation }) => siteStages.includes(observation.stage));
}

function nowhere(observation: Observation): Heard {
  return { observation, remoteMta: null, sendingIp: '', tls: null };
}

function unheard(delivery: DeliveryFacts): never {
  throw new Error(`the conversation gave no observation for forward-path ${delivery.n}`);
}
