/**
 * Sessions kept open between mails, so that the next mail to the same server needs no new connection. A session that is
 * taken out belongs to one mail at a time; it is given back, or left to end.
 *
 * A server may close an idle session at any moment, and that must not count as a failed attempt: `sendOver` then says the
 * mail again on a fresh connection, as long as nothing but the envelope was said.
 */
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { TlsFacts } from '../events/delivery-status.ts';
import { domainOf } from '../protocol/address/address.ts';
import type { ServerLimits } from '../protocol/smtp/extensions.ts';
import type { Connect, ConnectOptions, Observation, OutgoingMail, SmtpSession } from './smtp-client.ts';

export interface Sent {
  observations: Observation[];
  sendingIp: string;
  tls: TlsFacts | null;
  /** See `SmtpSession`; '' where no session came about. */
  tlsShortfall: string;
  offersDsn: boolean;
}

export interface SessionPool {
  /** One mail over an idle session to that server, or over a new one. Never rejects for anything a peer can do. */
  send(options: ConnectOptions, mail: OutgoingMail): Promise<Sent>;
  /** Idle sessions. */
  idle(): number;
  /** Ends the idle sessions. */
  close(): Promise<void>;
}

interface PooledSession {
  session: SmtpSession;
  mails: number;
  idleSince: number;
  bounds: Pick<ConnectOptions, 'mailsPerSession' | 'pathsPerMail'>;
}

export function createSessionPool(connect: Connect, clock: Clock): SessionPool {
  const idle = new Map<string, PooledSession[]>();
  let idleCount = 0;
  let sweeping = false;
  const closed = new AbortController();

  const takeIdle = (key: string): PooledSession | null => {
    const sessions = idle.get(key);
    for (let pooled = sessions?.pop(); pooled; pooled = sessions?.pop()) {
      idleCount -= 1;
      if (pooled.session.usable) return pooled;
      void pooled.session.quit();
    }
    return null;
  };

  const giveBack = (key: string, pooled: PooledSession): void => {
    const worn = pooled.mails >= mostMailsOver(pooled) || idleCount >= limits.idleSessions;
    if (!pooled.session.usable || worn) {
      void pooled.session.quit();
      return;
    }
    const sessions = idle.get(key) ?? [];
    sessions.push({ ...pooled, idleSince: clock.now() });
    idle.set(key, sessions);
    idleCount += 1;
    void sweep();
  };

  /** Runs only while there are idle sessions. */
  const sweep = async (): Promise<void> => {
    if (sweeping) return;
    sweeping = true;
    while (idleCount > 0) {
      await clock.sleep(limits.idleSessionMs / 2, closed.signal);
      const before = clock.now() - limits.idleSessionMs;
      for (const [key, sessions] of idle) {
        const old = sessions.filter(({ idleSince }) => idleSince <= before);
        const young = sessions.filter(({ idleSince }) => idleSince > before);
        if (young.length === 0) idle.delete(key);
        else idle.set(key, young);
        idleCount -= old.length;
        for (const { session } of old) void session.quit();
      }
    }
    sweeping = false;
  };

  /** To as many of the first forward-paths as the server takes in one transaction. */
  const sendOver = async (key: string, pooled: PooledSession, mail: OutgoingMail): Promise<Sent> => {
    const { session } = pooled;
    const observations = await session.send(withinLimits(mail, pooled));
    giveBack(key, { ...pooled, mails: pooled.mails + 1 });
    return { observations, ...factsOf(session) };
  };

  const sendSome = async (options: ConnectOptions, mail: OutgoingMail): Promise<Sent> => {
    const key = keyOf(options);
    const kept = takeIdle(key);
    if (kept) {
      const sent = await sendOver(key, kept, mail);
      if (!wentStale(sent.observations)) return sent;
    }
    const session = await connect(options);
    if ('failed' in session) {
      const observations = mail.forwardPaths.map(() => session.failed);
      const { sendingIp, tls } = session;
      return { observations, sendingIp, tls, tlsShortfall: '', offersDsn: false };
    }
    return sendOver(key, { session, mails: 0, idleSince: 0, bounds: options }, mail);
  };

  return {
    async send(options, mail) {
      let sent = await sendSome(options, mail);
      while (sent.observations.length < mail.forwardPaths.length) {
        const rest = otherPaths(mail, sent.observations.length);
        const [unheard] = sent.observations.slice(-1).filter(({ cause }) => isOfConnection(cause));
        // A server that does not answer is not asked again for each part of the mail.
        const more = unheard
          ? { ...sent, observations: rest.forwardPaths.map(() => unheard) }
          : await sendSome(options, rest);
        sent = { ...more, observations: [...sent.observations, ...more.observations] };
      }
      return sent;
    },
    idle: () => idleCount,
    async close() {
      const sessions = [...idle.values()].flat();
      idle.clear();
      idleCount = 0;
      closed.abort();
      await Promise.all(sessions.map(({ session }) => session.quit()));
    },
  };
}

function mostMailsOver({ bounds }: PooledSession): number {
  return Math.min(limits.mailsPerSession, bounds.mailsPerSession ?? limits.mailsPerSession);
}

function withinLimits(mail: OutgoingMail, { session, bounds }: PooledSession): OutgoingMail {
  return firstPaths(mail, pathsWithin(session.limits, mail.forwardPaths, bounds.pathsPerMail));
}

function factsOf({ sendingIp, tls, tlsShortfall, offersDsn }: SmtpSession): Omit<Sent, 'observations'> {
  return { sendingIp, tls, tlsShortfall, offersDsn };
}

/** Sessions may be shared by mails that would connect in the same way only. */
function keyOf(options: ConnectOptions): string {
  const { target, localAddress, greetingName, tls, dane, requireTls, credentials } = options;
  const { name, address, port } = target;
  const records = dane?.records.map(({ usage, selector, matchingType, data }) =>
    [usage, selector, matchingType, data.toString('hex')].join(' '),
  );
  const checked = dane === undefined ? null : [dane.baseDomain, dane.names, records];
  return JSON.stringify([
    ...[name, address, port, localAddress, greetingName],
    ...[tls, checked, requireTls, credentials?.username],
  ]);
}

/** How many of the first forward-paths fit into one transaction (RFC 9422), and are wanted in it. */
function pathsWithin(
  { rcptMax, rcptDomainMax }: ServerLimits,
  paths: readonly string[],
  most = paths.length,
): number {
  const mostPaths = Math.min(paths.length, rcptMax ?? paths.length, most);
  if (rcptDomainMax === null) return mostPaths;
  const domains = new Set<string>();
  const beyond = paths
    .slice(0, mostPaths)
    .findIndex((path) => domains.add(domainOf(path)).size > rcptDomainMax);
  return beyond === -1 ? mostPaths : beyond;
}

function firstPaths(mail: OutgoingMail, count: number): OutgoingMail {
  if (count === mail.forwardPaths.length) return mail;
  return withPaths(mail, 0, count);
}

function otherPaths(mail: OutgoingMail, from: number): OutgoingMail {
  return withPaths(mail, from, mail.forwardPaths.length);
}

function withPaths(mail: OutgoingMail, from: number, to: number): OutgoingMail {
  const { forwardPathOptions } = mail;
  return {
    ...mail,
    forwardPaths: mail.forwardPaths.slice(from, to),
    ...(forwardPathOptions ? { forwardPathOptions: forwardPathOptions.slice(from, to) } : {}),
  };
}

function isOfConnection(cause: Observation['cause']): boolean {
  return cause !== null && cause !== 'unsupported';
}

/** The server had closed the session, or used the next command to say that it does now. */
function wentStale(observations: readonly Observation[]): boolean {
  return observations.every(
    ({ stage, reply, cause }) => stage === 'mail' && (cause === 'connection-lost' || reply?.code === 421),
  );
}
