/** What a job of the ledger's upkeep found or did, in one line. */
import type { Rebuilt } from '../ledger/ledger.ts';
import type { Anonymised, Erased, Job, Retained, Verified } from '../upkeep/upkeep.ts';
import { shownTime } from './table.ts';

export function summaryOf({ kind, result }: Job): string {
  switch (kind) {
    case 'verify':
      return verifiedLine(result as Verified);
    case 'rebuild':
      return rebuiltLine(result as Rebuilt);
    case 'retention':
      return retainedLine(result as Retained);
    case 'erase':
      return erasedLine(result as Erased);
    case 'anonymise':
      return anonymisedLine(result as Anonymised);
  }
}

export function verifiedLine({ ok, counts, chain }: Verified): string {
  if (ok) return `${counts.events} events and their counts in ${counts.hours} tenant-hours agree`;
  const [first] = counts.differences;
  const [problem] = chain?.problems ?? [];
  if (first !== undefined) {
    const tenant = counts.tenants[first.tenantId] ?? first.tenantId;
    return `first difference: tenant ${tenant}, hour ${shownTime(first.hour)}, ${first.what}: expected ${first.expected}, found ${first.found}`;
  }
  return problem === undefined
    ? 'it differs'
    : `first break of the chain: ${problem.node}, events ${problem.first} to ${problem.last}: ${problem.problem}`;
}

export function rebuiltLine({ events, tables }: Rebuilt): string {
  return `${tables.join(', ')} made anew from ${events} events`;
}

export function retainedLine({ removed }: Retained): string {
  const { events, deliveries, counters } = removed;
  return `${events} events, ${deliveries} rows of deliveries, ${counters} rows of counters`;
}

export function erasedLine({ events, deliveries, suppressions, queued }: Erased): string {
  if (queued.length > 0) return `nothing, for ${queued.length} mails are still queued: ${queued.join(', ')}`;
  return `${events} events, ${deliveries} deliveries, ${suppressions} suppressions`;
}

export function anonymisedLine({ events, deliveries }: Anonymised): string {
  return `${events} events, ${deliveries} deliveries`;
}
