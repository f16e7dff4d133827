/** What retention and anonymising have in common: which rows are old enough, and whose mail stays as it is. */
import type { BoundValue } from './engine.ts';
import type { Which } from './partitions.ts';

/** Tenants of whom everything before a time is meant, UTC milliseconds. */
export interface AgeGroup {
  tenantIds: readonly number[];
  before: number;
}

/** `milliseconds`: how old a row is. Null: of nobody. */
export function olderThan(groups: readonly AgeGroup[], milliseconds: string): Which | null {
  const wanted = groups.filter(({ tenantIds }) => tenantIds.length > 0);
  if (wanted.length === 0) return null;
  const values: Record<string, BoundValue> = {};
  const parts = wanted.map(({ tenantIds, before }, index) => {
    values[`tenants${index}`] = tenantIds;
    values[`before${index}`] = before;
    return `(tenant_id IN {tenants${index}:Array(UInt64)} AND ${milliseconds} < {before${index}:Int64})`;
  });
  return { condition: `(${parts.join(' OR ')})`, values };
}

/** Without mails that have not ended yet. */
export function ofEndedMails({ condition, values }: Which): Which {
  return {
    condition: `${condition} AND (tenant_id, mail_id) NOT IN (SELECT tenant_id, mail_id FROM deliveries FINAL WHERE state IN ('queued', 'held', 'deferred'))`,
    values,
  };
}

/** Without these mails. */
export function sparing(spared: readonly number[], { condition, values }: Which): Which {
  if (spared.length === 0) return { condition, values };
  return {
    condition: `${condition} AND mail_id NOT IN {spared:Array(UInt64)}`,
    values: { ...values, spared },
  };
}
