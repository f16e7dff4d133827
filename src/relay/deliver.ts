/**
 * One attempt (steps 12 to 18 of `docs/architecture.md`): route, targets, connect, converse, classify. It ends with
 * one `DeliveryStatus` per forward-path; what becomes of each is `settle.ts`.
 */
import type { Clock } from '../base/clock.ts';
import type {
  DeliveryStatus,
  RemoteMta,
  Stage,
  TlsFacts,
  TlsPolicyFacts,
} from '../events/delivery-status.ts';
import type { DeliveryFacts, MailFacts } from '../events/event.ts';
import { noForwardPathOptions, noMailOptions } from '../protocol/smtp/envelope-options.ts';
import {
  type ConnectOptions,
  defaultTimeouts,
  type Observation,
  type OutgoingMail,
  type Sent,
  type SessionPool,
} from '../smtp-client/smtp-client.ts';
import { classify } from './classify.ts';
import type { Envelope } from './envelope.ts';
import { rehearsalMta, rehearse } from './rehearsal.ts';
import { askedOfNextServer, isQuiet, mailOptionsWithKeyedPath, type ReturnPaths } from './return-path.ts';
import { type NextHop, type Route, routeOf } from './route.ts';
import type { Shaping } from './shaping.ts';
import { leavingFrom, type Source } from './sources.ts';
import { type FindTargets, targetsOf } from './targets.ts';
import { type Demand, opportunistic, type Refusal, requiringTls, type TlsPolicies } from './tls-policy.ts';

export interface DeliverDeps {
  clock: Clock;
  hostname: string;
  nextHop: NextHop | null;
  findTargets: FindTargets;
  sessions: SessionPool;
  /** Null or absent: mail goes out with the reverse-path of its sender. */
  returnPaths?: ReturnPaths | null;
  /** How MX hosts are to be secured; absent: opportunistic, whatever a domain publishes. */
  tlsPolicies?: TlsPolicies;
  /** Told of a source that cannot be used. */
  onSourceFailed?(source: Source, diagnostic: string): void;
  /** What may go over one session and in one transaction; absent: as much as the server takes. */
  shapingOf?(destination: string): Pick<Shaping, 'mailsPerConnection' | 'recipientsPerMail'>;
}

export interface AttemptedMail {
  facts: MailFacts;
  content: Buffer;
  /** Of one route. */
  deliveries: readonly DeliveryFacts[];
  /** Leads to the route. */
  destination: string;
  /** Where the connection comes from; null: the system's choice. */
  source: Source | null;
  envelope: Envelope;
}

/** What was heard, and from whom. */
interface Heard {
  observation: Observation;
  remoteMta: RemoteMta | null;
  sendingIp: string;
  tls: TlsFacts | null;
  tlsPolicy?: TlsPolicyFacts;
  dsnOffered?: true;
}

/** A host, and how the connection to it must be secured. */
interface Approach {
  target: RemoteMta;
  /** Of the forward-paths; for a next hop the first of several. */
  domain: string;
  nextHop: NextHop | null;
  demand: Demand;
}

export async function deliver(mail: AttemptedMail, deps: DeliverDeps): Promise<DeliveryStatus[]> {
  const startedAt = deps.clock.now();
  const route = routeOf(mail.destination, deps.nextHop);
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
  const nextHop = route.kind === 'next-hop' ? route.nextHop : null;
  const domain = mail.deliveries[0]?.domain ?? '';
  let heard: Heard[] = [];
  for (const target of targets.targets) {
    const demand = await demandOn(route, target, deps);
    if ('refused' in demand) heard = leftOut(mail, { target, domain, demand }, deps);
    else if (needsProof(mail, route, demand) && !targets.authentic) {
      heard = mail.deliveries.map(() => nowhere(unproven(domain)));
    } else heard = await converse(mail, { target, domain, nextHop, demand }, deps);
    if (!worthAnotherTarget(heard)) return heard;
  }
  return heard;
}

async function demandOn(route: Route, target: RemoteMta, deps: DeliverDeps): Promise<Demand | Refusal> {
  if (route.kind === 'mx') return (await deps.tlsPolicies?.demandOn(route.domain, target)) ?? opportunistic;
  const tls = route.kind === 'next-hop' ? route.nextHop.tls : 'none';
  return { tls, dane: null, inForce: tls, testing: null };
}

function leftOut(
  mail: AttemptedMail,
  { target, domain, demand }: Pick<Approach, 'target' | 'domain'> & { demand: Refusal },
  deps: DeliverDeps,
): Heard[] {
  const met = { demand, outcome: 'left-out' as const, shortfall: demand.refused };
  const tlsPolicy = deps.tlsPolicies?.factsOf(domain, target, met);
  const observation: Observation = {
    ...{ stage: 'tls', reply: null, enhancedStatus: null, cause: 'tls', text: demand.refused },
  };
  const remoteMta = { ...target, address: '' };
  return mail.deliveries.map(() => ({
    ...{ observation, remoteMta, sendingIp: '', tls: null },
    ...(tlsPolicy ? { tlsPolicy } : {}),
  }));
}

async function converse(mail: AttemptedMail, approach: Approach, deps: DeliverDeps): Promise<Heard[]> {
  const { target, nextHop } = approach;
  const requireTls = mail.envelope.options?.requireTls === true;
  const demand = requireTls ? requiringTls(approach.demand) : approach.demand;
  const leaving = leavingFrom(mail.source, target.address);
  if ('missing' in leaving) return unsent(mail, leaving.missing, deps);
  const options: ConnectOptions = {
    ...{ target, ...leaving },
    greetingName: mail.source?.name ?? deps.hostname,
    tls: demand.tls,
    ...(demand.dane ? { dane: demand.dane } : {}),
    ...(requireTls ? { requireTls } : {}),
    ...(nextHop?.credentials ? { credentials: nextHop.credentials } : {}),
    timeouts: defaultTimeouts,
    ...shapedBy(deps.shapingOf?.(mail.destination)),
  };
  return transact(mail, deps, async (outgoing) => {
    const sent = await deps.sessions.send(options, outgoing);
    const { observations, sendingIp, tls, offersDsn } = sent;
    noteSource(mail, observations, deps);
    const tlsPolicy = policyFacts({ ...approach, demand }, sent, deps);
    return observations.map((observation) => ({
      ...{ observation, remoteMta: target, sendingIp, tls },
      ...(tlsPolicy ? { tlsPolicy } : {}),
      // With a keyed return path the reports come to us: the server does not notify the sender.
      ...(offersDsn && outgoing.reversePath === mail.facts.reversePath ? { dsnOffered: true } : {}),
    }));
  });
}

/** No connection was tried. */
function unsent(mail: AttemptedMail, observation: Observation, deps: DeliverDeps): Heard[] {
  noteSource(mail, [observation], deps);
  return mail.deliveries.map(() => nowhere(observation));
}

function noteSource(
  { source }: AttemptedMail,
  observations: readonly Observation[],
  { onSourceFailed }: DeliverDeps,
): void {
  const failed = observations.find(({ cause }) => cause === 'own-address');
  if (source && failed) onSourceFailed?.(source, failed.text);
}

/**
 * All forward-paths in one transaction; with keyed return paths a transaction for each, one after the other over the
 * same session. Where nothing more can be said to the host, the others hear the same.
 */
async function transact(
  mail: AttemptedMail,
  { returnPaths }: DeliverDeps,
  send: (outgoing: OutgoingMail) => Promise<Heard[]>,
): Promise<Heard[]> {
  const { deliveries, facts, content } = mail;
  const { reversePath } = facts;
  if (!returnPaths || reversePath === '') {
    const forwardPaths = deliveries.map((delivery) => delivery.forwardPath);
    return send({ reversePath, forwardPaths, content, ...askedFor(mail) });
  }
  const heard: Heard[] = [];
  for (const delivery of deliveries) {
    const [last] = heard.slice(-1).filter(({ observation }) => isUnreachable(observation));
    heard.push(...(last ? [last] : await send(keyedMail(mail, delivery, returnPaths))));
  }
  return heard;
}

function isUnreachable({ stage, cause }: Observation): boolean {
  return siteStages.includes(stage) || (cause !== null && cause !== 'unsupported');
}

function keyedMail(
  { facts, content, envelope }: AttemptedMail,
  { n, forwardPath }: DeliveryFacts,
  returnPaths: ReturnPaths,
): OutgoingMail {
  const { tenantId, mailId } = facts;
  const options = envelope.forwardPathOptions.get(n) ?? noForwardPathOptions;
  return {
    reversePath: returnPaths.of({ tenantId, mailId, n, quiet: isQuiet(options) }),
    forwardPaths: [forwardPath],
    content,
    options: mailOptionsWithKeyedPath(envelope.options ?? noMailOptions),
    forwardPathOptions: [askedOfNextServer(options)],
  };
}

function shapedBy(
  shaping: ReturnType<NonNullable<DeliverDeps['shapingOf']>> | undefined,
): Pick<ConnectOptions, 'mailsPerSession' | 'pathsPerMail'> {
  if (!shaping) return {};
  return { mailsPerSession: shaping.mailsPerConnection, pathsPerMail: shaping.recipientsPerMail };
}

function policyFacts(
  { domain, target, demand }: Approach,
  { observations, tls, tlsShortfall }: Sent,
  deps: DeliverDeps,
): TlsPolicyFacts | undefined {
  const [first] = observations;
  if (first?.stage === 'tls') {
    const shortfall = first.text || 'the server refused TLS';
    return deps.tlsPolicies?.factsOf(domain, target, { demand, outcome: 'not-secured', shortfall });
  }
  const outcome = tls === null ? 'plain-text' : 'secured';
  return deps.tlsPolicies?.factsOf(domain, target, { demand, outcome, shortfall: tlsShortfall });
}

/** An enforced MTA-STS policy that names the host is proof enough. */
function needsProof({ envelope }: AttemptedMail, route: Route, { inForce }: Demand): boolean {
  if (!envelope.options?.requireTls || route.kind !== 'mx') return false;
  return inForce !== 'mta-sts' && inForce !== 'dane+mta-sts';
}

/** RFC 8689 §4.2: a certificate proves little about a host whose name anybody on the way could have given us. */
function unproven(domain: string): Observation {
  const text = `the MX hosts of ${domain} are not proven by DNSSEC or MTA-STS, and the mail requires TLS all the way`;
  return { stage: 'ehlo', reply: null, enhancedStatus: '5.7.30', cause: 'unsupported', text };
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

const siteStages: readonly Stage[] = ['connect', 'greeting', 'ehlo', 'tls'];

/** RFC 5321 §5.1: the next host is tried when this one could not be reached or did not want to talk. */
function worthAnotherTarget(heard: readonly Heard[]): boolean {
  return heard.every(({ observation }) => siteStages.includes(observation.stage));
}

function nowhere(observation: Observation): Heard {
  return { observation, remoteMta: null, sendingIp: '', tls: null };
}

function unheard(delivery: DeliveryFacts): never {
  throw new Error(`the conversation gave no observation for forward-path ${delivery.n}`);
}
