/**
 * What an import counts, in one place. A mail's share is a function of what is known of it, so that the sums change
 * when more is learnt: a mail that turns out to be a probe, or another one that came back from a filter, counts no more.
 */
import type { ImportedMail } from './imported-mail.ts';

export const shareNames = [
  /** Mails that the system took, or that have a delivery. */
  'mails',
  /** Pairs of a mail and a forward-path; refused ones are not among them. */
  'deliveries',
  /** Last known states. */
  'delivered',
  'deferred',
  'failed',
  'expired',
  'rejected',
  'suppressed',
  'canceled',
  'held',
  'queued',
  /** Attempts that were deferred. */
  'deferrals',
] as const;

export type Share = Record<(typeof shareNames)[number], number>;

export function noShare(): Share {
  return Object.fromEntries(shareNames.map((name) => [name, 0])) as Share;
}

export function shareOf(mail: ImportedMail): Share {
  const share = noShare();
  if (mail.probe) return share;
  for (const { state, deferrals } of mail.deliveries) {
    share[state] += 1;
    share.deferrals += deferrals;
  }
  share.deliveries = mail.deliveries.length - share.rejected;
  share.mails = mail.accepted || share.deliveries > 0 ? 1 : 0;
  return share;
}

/** Nulls and zeros are most of it. */
export function packShare(share: Share): string {
  return shareNames.map((name) => (share[name] === 0 ? '' : String(share[name]))).join(',');
}

export function unpackShare(text: string): Share {
  const numbers = text.split(',');
  return Object.fromEntries(shareNames.map((name, index) => [name, Number(numbers[index] ?? 0)])) as Share;
}

export function changeSums(sums: Share, before: Share | null, after: Share): void {
  for (const name of shareNames) sums[name] += after[name] - (before?.[name] ?? 0);
}
