/** A real SMTP listener with a handler that remembers what it was given. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { installationKey } from '../../src/base/secret.ts';
import { createReturnPaths } from '../../src/relay/return-path.ts';
import type {
  Refusal,
  ReportDoor,
  SessionReport,
  SessionSubmission,
  SmtpHandler,
} from '../../src/smtp-server/handler.ts';
import {
  createSmtpServer,
  type SmtpServer,
  type SmtpServerOptions,
} from '../../src/smtp-server/smtp-server.ts';

export interface Listener {
  server: SmtpServer;
  port: number;
  mails: SessionSubmission[];
  reports: SessionReport[];
  /** Log lines as JSON. */
  logged: string[];
}

export interface ListenerOptions extends Partial<Omit<SmtpServerOptions, 'handler' | 'listen'>> {
  /** `no`: AUTH is needed; `no-tenant`: the network is known, its tenant is not there yet. */
  trusted?: 'yes' | 'no' | 'no-tenant';
  implicitTls?: boolean;
  /** Reports are taken at `bounces.test`, within these bounds. */
  reports?: ReportDoor['bounds'];
  handler?: Partial<SmtpHandler>;
}

export const hostname = 'relay.test';
export const username = 'user@example.com';
export const password = 'secret';

/** One certificate for the whole test process. */
const tlsDirectory = mkdtempSync(join(tmpdir(), 'dialogs-'));
process.once('exit', () => rmSync(tlsDirectory, { recursive: true }));
export const tlsFiles = { directory: tlsDirectory, certificate: null, key: null };

export async function startListener(options: ListenerOptions = {}): Promise<Listener> {
  const { trusted = 'yes', implicitTls = false, reports: reportBounds, handler, ...rest } = options;
  const mails: SessionSubmission[] = [];
  const reports: SessionReport[] = [];
  const logged: string[] = [];
  const address = { host: '127.0.0.1', port: 0 };
  const server = await createSmtpServer({
    hostname,
    listen: implicitTls ? [] : [address],
    implicitTlsListen: implicitTls ? [address] : [],
    tls: tlsFiles,
    clock: systemClock,
    log: rememberingLog(logged),
    ...rest,
    handler: {
      ...rememberingHandler(mails, trusted),
      reports: reportBounds ? rememberingDoor(reports, reportBounds) : null,
      ...handler,
    },
  });
  const [listening] = await server.listen();
  return { server, port: listening?.port ?? 0, mails, reports, logged };
}

function rememberingLog(logged: string[]): SmtpServerOptions['log'] {
  const write = (fields: object, text: string) => {
    logged.push(JSON.stringify({ ...fields, text }));
  };
  return { debug: write, info: write, warn: write, error: write };
}

/** Addresses whose local part is `blocked` are refused; the reverse-paths `refuse` and `fault` meet their name. */
function rememberingHandler(mails: SessionSubmission[], trusted: 'yes' | 'no' | 'no-tenant'): SmtpHandler {
  const principal = { tenantId: 1, streamId: 10_001, name: 'tenant', trustedNetwork: false };
  return {
    authenticate: (user, secret) =>
      user === username && secret === password
        ? { principal }
        : refuse(535, '5.7.8', 'Authentication credentials invalid', 'wrong user name or password'),
    trusted: () => {
      if (trusted === 'no') return null;
      if (trusted === 'no-tenant') return refuse(450, '4.7.1', 'Not ready, try again later', 'no tenant');
      return { principal: { ...principal, trustedNetwork: true } };
    },
    checkReversePath: (_, path) =>
      path.startsWith('blocked@') ? refuse(550, '5.7.1', 'Sender not allowed', 'blocked') : null,
    checkForwardPath: (_, path) =>
      path.startsWith('blocked@') ? refuse(550, '5.1.1', 'No such mailbox', 'blocked') : null,
    submit: async (submission) => {
      if (submission.reversePath.startsWith('fault@')) throw new Error('the disk is gone');
      if (submission.reversePath.startsWith('refuse@')) return refuse(554, '5.7.1', 'No\r\n250 Ok', 'test');
      mails.push(submission);
      return { accepted: `Ok: queued as ${mails.length}` };
    },
  };
}

/** The addresses are those of an installation, whose key never changes, so that a dialog can have them in it. */
const returnPaths = createReturnPaths({
  domain: 'bounces.test',
  complaintMailbox: 'complaints',
  key: installationKey(Buffer.alloc(32, 1)),
});

function rememberingDoor(reports: SessionReport[], bounds: ReportDoor['bounds']): ReportDoor {
  return {
    bounds,
    mailboxOf(forwardPath) {
      const mailbox = returnPaths.mailboxOf(forwardPath);
      if (mailbox === 'unknown') return refuse(550, '5.1.1', 'No such mailbox', 'not made here');
      return mailbox && 'welcome';
    },
    receive: async (report) => {
      reports.push(report);
      return { accepted: 'Ok: report taken' };
    },
  };
}

export function refuse(code: number, enhancedStatus: string, text: string, privateReason: string): Refusal {
  return { refused: { code, enhancedStatus, text }, privateReason };
}
