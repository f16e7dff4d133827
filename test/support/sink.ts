/** A receiving server made with another SMTP implementation, which keeps what it gets and refuses as it is told. */
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { SMTPServer } from 'smtp-server';

export interface ReceivedMail {
  reversePath: string;
  forwardPaths: string[];
  content: string;
  /** Address that it came from, and what was said in EHLO. */
  peer: string;
  ehlo: string;
}

export interface SinkRefusal {
  code: number;
  text: string;
}

export interface Sink {
  port: number;
  mails: ReceivedMail[];
  close(): Promise<void>;
}

export interface SinkOptions {
  port?: number;
  /** Answer to RCPT; null accepts. `attempt` counts the RCPT commands for this address. */
  rcpt?: (address: string, attempt: number) => SinkRefusal | null;
  /** How long each content is thought about before it is taken. */
  thinkMs?: number;
}

export async function startSink(
  t: TestContext,
  { port = 0, rcpt = () => null, thinkMs = 0 }: SinkOptions = {},
): Promise<Sink> {
  const mails: ReceivedMail[] = [];
  const attempts = new Map<string, number>();
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    onRcptTo({ address }, _session, callback) {
      const attempt = (attempts.get(address) ?? 0) + 1;
      attempts.set(address, attempt);
      const refusal = rcpt(address, attempt);
      callback(refusal ? Object.assign(new Error(refusal.text), { responseCode: refusal.code }) : null);
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          reversePath: mailFrom ? mailFrom.address : '',
          forwardPaths: rcptTo.map(({ address }) => address),
          content: Buffer.concat(chunks).toString('utf8'),
          ...{ peer: session.remoteAddress, ehlo: session.hostNameAppearsAs },
        });
        setTimeout(() => callback(null, 'OK'), thinkMs);
      });
    },
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  t.after(close);
  return { port: (server.server.address() as AddressInfo).port, mails, close };
}
