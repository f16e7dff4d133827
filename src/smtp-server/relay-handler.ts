/**
 * The policy side of SMTP submission: who may submit, what is welcome, and the hand-over to the relay. Reads tenants
 * at each question, so what the command line changes takes effect at the next command of a session.
 */
import { relayIdOf } from '../base/id.ts';
import type { Log } from '../base/log.ts';
import { type Network, networkContains } from '../base/network.ts';
import type { Relay, ReportReception, SubmissionRefusal } from '../relay/relay.ts';
import type { CredentialHolder, Tenants } from '../tenants/tenants.ts';
import type {
  Authentication,
  Principal,
  Refusal,
  ReportDoor,
  SessionSubmission,
  SmtpHandler,
} from './handler.ts';

export interface RelayHandlerOptions {
  tenants: Tenants;
  relay: Pick<Relay, 'submit' | 'checkSize' | 'checkForwardPath' | 'recordDenied' | 'reports'>;
  trusted: readonly { network: Network; tenant: string }[];
  log: Log;
}

export function createRelayHandler({ tenants, relay, trusted, log }: RelayHandlerOptions): SmtpHandler {
  return {
    authenticate(username, password) {
      const holder = tenants.checkCredential('smtp', username.toLowerCase(), password);
      if (!holder)
        return refuse(535, '5.7.8', 'Authentication credentials invalid', 'wrong user name or password');
      return authenticated(tenants, holder, false);
    },
    trusted(remoteAddress) {
      const network = trusted.find((entry) => networkContains(entry.network, remoteAddress));
      if (!network) return null;
      const tenant = tenants.tenantNamed(network.tenant);
      if (!tenant) {
        return refuse(
          450,
          '4.7.1',
          'Not ready for this network yet, try again later',
          `tenant ${network.tenant} does not exist`,
        );
      }
      const stream = tenants.streams(tenant.id)[0];
      if (!stream)
        return refuse(
          450,
          '4.7.1',
          'Not ready for this network yet, try again later',
          `tenant ${tenant.name} has no stream`,
        );
      return authenticated(
        tenants,
        { tenantId: tenant.id, streamId: stream.id, identifier: tenant.name },
        true,
      );
    },
    checkReversePath({ tenantId }, _reversePath, { declaredBytes }) {
      return refusalOf(relay.checkSize(tenantId, declaredBytes));
    },
    checkForwardPath(principal, forwardPath, count, { reversePath, client, protocol }) {
      const { tenantId, streamId, trustedNetwork } = principal;
      const refused = relay.checkForwardPath(tenantId, forwardPath, count);
      if (refused?.denied) {
        const { remoteAddress: origin, greetingName } = client;
        const sender = { tenantId, streamId, trustedNetwork, origin, greetingName, reversePath };
        relay
          .recordDenied({ ...sender, protocol, transport: 'smtp', forwardPath })
          .catch((fault: unknown) => log.error({ fault }, 'a refusal could not be put on record'));
      }
      return refusalOf(refused);
    },
    async submit(submission) {
      try {
        const result = await relay.submit(submissionOf(submission));
        return result.ok
          ? { accepted: `Ok: queued as ${relayIdOf(result.mailId)}` }
          : { refused: result.reply, privateReason: result.privateReason };
      } catch (fault) {
        return notWritten(log, fault);
      }
    },
    reports: relay.reports && reportDoor(relay.reports, log),
  };
}

/** Nothing was accepted: the client keeps the mail and comes again. */
function notWritten(log: Log, fault: unknown): Refusal {
  log.error({ fault }, 'mail could not be written');
  const text = 'The mail could not be stored, try again later';
  return refuse(451, '4.3.0', text, 'the store or the spool refused');
}

function reportDoor(reports: ReportReception, log: Log): ReportDoor {
  return {
    bounds: reports.bounds,
    mailboxOf(forwardPath) {
      const mailbox = reports.mailboxOf(forwardPath);
      if (mailbox !== 'unknown') return mailbox;
      return refuse(550, '5.1.1', 'No such mailbox', 'a return path that this installation did not make');
    },
    async receive({ client, forwardPaths, content }) {
      try {
        const refused = await reports.receive({ origin: client.remoteAddress, forwardPaths, content });
        return refusalOf(refused) ?? { accepted: 'Ok: report taken' };
      } catch (fault) {
        return notWritten(log, fault);
      }
    },
  };
}

function authenticated(tenants: Tenants, holder: CredentialHolder, trustedNetwork: boolean): Authentication {
  const streamId = holder.streamId ?? tenants.streams(holder.tenantId)[0]?.id;
  const stream = streamId === undefined ? null : tenants.stream(streamId);
  if (stream?.state !== 'active')
    return refuse(535, '5.7.8', 'This account is suspended', `stream of ${holder.identifier} is suspended`);
  const principal: Principal = {
    tenantId: holder.tenantId,
    streamId: stream.id,
    name: holder.identifier,
    trustedNetwork,
  };
  return { principal };
}

function refusalOf(refused: SubmissionRefusal | null): Refusal | null {
  return refused && { refused: refused.reply, privateReason: refused.privateReason };
}

function submissionOf({ principal, client, ...submission }: SessionSubmission) {
  return {
    tenantId: principal.tenantId,
    streamId: principal.streamId,
    trustedNetwork: principal.trustedNetwork,
    origin: client.remoteAddress,
    greetingName: client.greetingName,
    ...submission,
  };
}

function refuse(code: number, enhancedStatus: string, text: string, privateReason: string): Refusal {
  return { refused: { code, enhancedStatus, text }, privateReason };
}
