/** Hands a mail to the running server by SMTP, as any client would: what is shown here is what clients see. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { dataPaths } from '../data-paths.ts';
import type { RunFile } from '../run-file.ts';
import {
  type ConnectOptions,
  connect,
  defaultTimeouts,
  type Observation,
  type OutgoingMail,
} from '../smtp-client/smtp-client.ts';
import { CommandProblem } from './command.ts';
import { reachable } from './running-server.ts';

export interface Submitted {
  /** Null if no forward-path was taken. */
  relayId: string | null;
  answers: { forwardPath: string; accepted: boolean; answer: string }[];
}

type Credentials = NonNullable<ConnectOptions['credentials']>;

export async function submitMail(
  mail: OutgoingMail,
  server: { config: Config; run: RunFile },
  credentials: Credentials,
): Promise<Submitted> {
  const session = await connect({ ...connectionTo(server), credentials });
  if ('failed' in session)
    throw new CommandProblem(`the server does not take mail: ${answerOf(session.failed)}`);
  try {
    const observations = await session.send(mail);
    const answers = mail.forwardPaths.map((forwardPath, index) =>
      answerFor(forwardPath, observations[index]),
    );
    return {
      relayId: answers.map(({ answer }) => relayIdIn(answer)).find((id) => id !== null) ?? null,
      answers,
    };
  } finally {
    await session.quit();
  }
}

/** The first listener with STARTTLS; if there is none, the first with TLS from the first byte. */
function connectionTo({
  config,
  run,
}: {
  config: Config;
  run: RunFile;
}): Omit<ConnectOptions, 'credentials'> {
  const [listener] = run.smtp;
  if (!listener) throw new CommandProblem('the server listens nowhere for SMTP');
  const { host, port } = reachable(listener);
  const implicit = config.smtp.listen.length === 0;
  return {
    target: { name: config.hostname, address: host, port },
    greetingName: config.hostname,
    ...(implicit
      ? { tls: 'implicit', trustedCertificates: ownCertificate(config) }
      : { tls: 'opportunistic' }),
    timeouts: { ...defaultTimeouts, connectMs: 5_000, greetingMs: 30_000, commandMs: 30_000 },
  };
}

/** A self-made certificate is trusted because we can read it where it was made. */
function ownCertificate({ smtp, dataDir }: Config): string[] {
  const file = smtp.tlsCert ?? join(dataPaths(dataDir).tls, 'self-made.pem');
  return existsSync(file) ? [readFileSync(file, 'utf8')] : [];
}

function answerFor(forwardPath: string, observation: Observation | undefined): Submitted['answers'][number] {
  if (observation === undefined) return { forwardPath, accepted: false, answer: 'no answer' };
  const accepted = observation.reply !== null && observation.reply.code < 300;
  return { forwardPath, accepted, answer: answerOf(observation) };
}

function answerOf({ reply, enhancedStatus, text }: Observation): string {
  return reply === null ? text : [String(reply.code), enhancedStatus, reply.text].filter(Boolean).join(' ');
}

function relayIdIn(answer: string): string | null {
  return /^250 .*\b([0-9a-f]{18})\b/.exec(answer)?.[1] ?? null;
}
