/**
 * From a mail that came to our bounce domain to a report about one delivery. Pure. The delivery is named by a key of
 * ours only: by the return path that the report came to, or, at the mailbox for complaints, by the one return path
 * that the report quotes. What else the report says of senders and recipients is not believed.
 */
import { limits } from '../base/limits.ts';
import type { LateReport, ReportedDelivery } from '../events/late-report.ts';
import { readDeliveryStatus } from '../protocol/dsn/dsn.ts';
import { type Parts, readParts } from '../protocol/dsn/parts.ts';
import { isEnhancedStatus } from '../protocol/smtp/enhanced-status.ts';
import { type ReportedRecipient, readReport } from './receive-report.ts';
import { oneLine, replyIn, wordsOf } from './report-text.ts';
import type { ReportMailbox, ReturnPaths } from './return-path.ts';

export type LateReading = { ok: true; report: LateReport } | { ok: false; why: NothingToSettle };

export type NothingToSettle =
  /** An answer of a person or a program, or anything else. */
  | 'no-report'
  /** No return path of ours is in it, or several are. */
  | 'not-ours'
  /** Delivered, or delayed: nothing follows from that. */
  | 'nothing-final'
  /** It tells of several recipients and not which of them was ours. */
  | 'ambiguous';

export function readLateReport(
  content: Buffer,
  mailbox: ReportMailbox,
  returnPaths: Pick<ReturnPaths, 'deliveryIn'>,
): LateReading {
  const { kind, recipients } = readReport(content);
  if (kind === 'none') return { ok: false, why: 'no-report' };
  const parts = readParts(content);
  const delivery = mailbox.kind === 'return-path' ? mailbox.delivery : deliveryIn(parts, returnPaths);
  if (delivery === null) return { ok: false, why: 'not-ours' };
  return kind === 'feedback' ? complaint(recipients, delivery) : returned(recipients, delivery, parts);
}

/** RFC 5965 §3.1: Original-Mail-From; and the header section of the original, which has it as Return-Path. */
function deliveryIn({ parts }: Parts, returnPaths: Pick<ReturnPaths, 'deliveryIn'>): ReportedDelivery | null {
  return returnPaths.deliveryIn(parts.map(({ text }) => text.slice(0, limits.headerSectionBytes)).join('\n'));
}

function complaint(recipients: readonly ReportedRecipient[], delivery: ReportedDelivery): LateReading {
  const [first] = recipients;
  const reason = first?.reason ?? null;
  if (first === undefined || reason === null) return { ok: false, why: 'nothing-final' };
  const type = reason === 'suppress-unsubscribe' ? 'unsubscribed' : 'complained';
  const said = `feedback report: ${first.action}`.slice(0, limits.dsnDiagnosticChars);
  return {
    ok: true,
    report: {
      ...{ ...delivery, type, reason, suppress: true, diagnostic: said },
      ...{ replyCode: 0, replyText: '', enhancedStatus: '' },
    },
  };
}

/**
 * A delivery has one forward-path, so a report that tells of one recipient tells of it, by whatever address: aliases
 * and forwarding change it. All recipients alike are as good as one.
 */
function returned(
  recipients: readonly ReportedRecipient[],
  delivery: ReportedDelivery,
  parts: Parts,
): LateReading {
  const failed = recipients.filter(({ action }) => action === 'failed');
  const [first, ...others] = failed;
  if (first === undefined) return { ok: false, why: 'nothing-final' };
  if (recipients.length !== failed.length) return { ok: false, why: 'ambiguous' };
  const hard = first.hard && others.every((other) => other.hard);
  const said = diagnosticOf(first, parts);
  const reply = replyIn(said);
  const status = first.status ?? '';
  return {
    ok: true,
    report: {
      ...{ ...delivery, type: 'returned', reason: first.reason ?? 'generic', suppress: hard },
      replyCode: reply.code,
      replyText: reply.code === 0 ? '' : reply.text.slice(0, limits.dsnDiagnosticChars),
      enhancedStatus: isEnhancedStatus(status) ? status : '5.0.0',
      diagnostic: said === '' ? `returned: ${status}` : said,
    },
  };
}

/** The reply as the report tells it; else what it says to people about it. */
function diagnosticOf({ finalRecipient }: ReportedRecipient, parts: Parts): string {
  const statuses = parts.parts.flatMap(({ text }) => readDeliveryStatus(text)?.recipients ?? []);
  const own = statuses.find((status) => status.finalRecipient === finalRecipient) ?? statuses[0];
  const text = own?.diagnostic || wordsOf(parts);
  return oneLine(text).slice(0, limits.dsnDiagnosticChars);
}
