/** Removes what is older than it is kept, and takes the recipients out of what is to be anonymised. */
import type { ErasedCounts, Removal, Removed } from '../ledger/ledger.ts';
import type { OnProgress } from './jobs.ts';
import { type AgeGroup, planAnonymising, planRemovals, sparedBy } from './plan.ts';
import type { Work } from './work.ts';

export interface Retained {
  preview: boolean;
  removals: Removal[];
  removed: Removed;
}

export interface Anonymised extends ErasedCounts {
  preview: boolean;
  groups: AgeGroup[];
}

export interface RetainRequest {
  preview: boolean;
  tenantId?: number;
}

export async function retain(work: Work, request: RetainRequest, onProgress: OnProgress): Promise<Retained> {
  const { preview, tenantId } = request;
  const spared = await sparedBy(work);
  const removals = await planRemovals(work, spared, tenantId);
  const options = { removals, spared: spared.mails, hold: work.hold, onProgress };
  const { maintenance } = work.ledger;
  const removed = preview ? await maintenance.countOld(options) : await maintenance.removeOld(options);
  return { preview, removals, removed };
}

export async function anonymise(
  work: Work,
  request: RetainRequest & { olderThanMs?: number },
): Promise<Anonymised> {
  const spared = await sparedBy(work);
  const groups = await planAnonymising(work, spared, request);
  const { maintenance } = work.ledger;
  const anonymising = { groups, spared: spared.mails };
  const counts = request.preview
    ? await maintenance.countNamed(anonymising)
    : await maintenance.anonymise(anonymising);
  return { preview: request.preview, groups, ...counts };
}
