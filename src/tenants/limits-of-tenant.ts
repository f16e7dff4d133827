/** Limits of tenants and what has been counted against them: one row per tenant that has any. */
import type { Clock } from '../base/clock.ts';
import { integer, integerOrNull, type Row, type Store, text } from '../store/store.ts';
import {
  type CountedQuota,
  countedQuotas,
  letGo,
  type Quota,
  type QuotaPeriod,
  type Quotas,
  type QuotaUse,
  quotaPeriods,
  rememberedWindows,
  take,
  type Wanted,
} from './quotas.ts';

export interface TenantLimits {
  recipientsPerMail: number | null;
  bytesPerMail: number | null;
  quotas: Quotas;
}

/** What has to be looked at before a mail of the tenant is taken. */
export interface TenantRules extends TenantLimits {
  hasDenyRules: boolean;
  hasSuppressions: boolean;
}

export interface LimitsChange {
  /** Null: without this limit. */
  recipientsPerMail?: number | null;
  bytesPerMail?: number | null;
  quotas?: Partial<Record<QuotaPeriod, Quota | null>>;
}

export type QuotaAnswer =
  /** `held`: so many of the forward-paths, the last ones, wait for `by`. */
  { kind: 'taken'; held: number; by: CountedQuota | null } | { kind: 'refused'; by: CountedQuota };

export interface LimitsOfTenants {
  rulesOf(tenantId: number): TenantRules;
  limitsOf(tenantId: number): TenantLimits;
  setLimits(tenantId: number, change: LimitsChange): TenantLimits;
  /** Each quota with the count of its present window. */
  quotasOf(tenantId: number): CountedQuota[];
  /** Counts a new mail. Within the transaction that inserts it. */
  takeQuota(tenantId: number, wanted: Wanted): QuotaAnswer;
  /** Counts deliveries that are let go, and says how many of those waiting. Within the transaction that releases them. */
  takeForRelease(tenantId: number, waiting: number): number;
  /** Something of the tenant waits for its quota, or nothing any more. Within the transaction that sees to it. */
  setBacklog(tenantId: number, backlog: boolean): void;
}

const rules = `SELECT limits.recipients_per_mail, limits.bytes_per_mail, limits.quotas,
    EXISTS (SELECT 1 FROM deny_rules WHERE tenant_id = asked.id) AS denies,
    EXISTS (SELECT 1 FROM suppressions WHERE tenant_id = asked.id) AS suppresses
  FROM (SELECT ? AS id) AS asked LEFT JOIN tenant_limits AS limits ON limits.tenant_id = asked.id`;

const counts =
  'SELECT quotas, use, zone FROM tenant_limits JOIN tenants ON id = tenant_id WHERE tenant_id = ?';

export function createLimitsOfTenants(store: Store, clock: Clock): LimitsOfTenants {
  const windowAt = rememberedWindows();

  const rulesOf = (tenantId: number): TenantRules => {
    const row = store.get(rules, tenantId);
    if (!row) throw new Error('a question without a table gave no row');
    return {
      ...limitsIn(row),
      hasDenyRules: integer(row, 'denies') === 1,
      hasSuppressions: integer(row, 'suppresses') === 1,
    };
  };
  const limitsOf = (tenantId: number): TenantLimits => {
    const { recipientsPerMail, bytesPerMail, quotas } = rulesOf(tenantId);
    return { recipientsPerMail, bytesPerMail, quotas };
  };
  const countsOf = (tenantId: number): { use: QuotaUse; counted: CountedQuota[] } | null => {
    const row = store.get(counts, tenantId);
    if (!row) return null;
    const use = JSON.parse(text(row, 'use')) as QuotaUse;
    const moment = { at: clock.now(), zone: text(row, 'zone'), windowAt };
    return { use, counted: countedQuotas(quotasIn(row), use, moment) };
  };
  const write = (tenantId: number, use: QuotaUse) =>
    store.run('UPDATE tenant_limits SET use = ? WHERE tenant_id = ?', JSON.stringify(use), tenantId);

  return {
    rulesOf,
    limitsOf,
    setLimits: (tenantId, change) =>
      store.transaction(() => {
        const next = changed(limitsOf(tenantId), change);
        store.run(
          `INSERT INTO tenant_limits (tenant_id, recipients_per_mail, bytes_per_mail, quotas) VALUES (?, ?, ?, ?)
           ON CONFLICT (tenant_id) DO UPDATE SET recipients_per_mail = excluded.recipients_per_mail,
             bytes_per_mail = excluded.bytes_per_mail, quotas = excluded.quotas`,
          ...[tenantId, next.recipientsPerMail, next.bytesPerMail, JSON.stringify(next.quotas)],
        );
        return next;
      }),
    quotasOf: (tenantId) => countsOf(tenantId)?.counted ?? [],
    takeQuota(tenantId, wanted) {
      const known = countsOf(tenantId);
      if (!known || known.counted.length === 0) return { kind: 'taken', held: 0, by: null };
      const taken = take(known.counted, known.use, wanted);
      if (taken.kind === 'refused') return taken;
      write(tenantId, taken.use);
      return { kind: 'taken', held: taken.held, by: taken.by };
    },
    takeForRelease(tenantId, waiting) {
      const known = countsOf(tenantId);
      if (!known) return waiting;
      const { count, use } = letGo(known.counted, known.use, waiting);
      if (count > 0) write(tenantId, use);
      return count;
    },
    setBacklog(tenantId, backlog) {
      const known = countsOf(tenantId);
      if (known && known.use.backlog !== backlog) write(tenantId, { ...known.use, backlog });
    },
  };
}

function limitsIn(row: Row): TenantLimits {
  return {
    recipientsPerMail: integerOrNull(row, 'recipients_per_mail'),
    bytesPerMail: integerOrNull(row, 'bytes_per_mail'),
    quotas: row['quotas'] === null ? {} : quotasIn(row),
  };
}

function quotasIn(row: Row): Quotas {
  return JSON.parse(text(row, 'quotas')) as Quotas;
}

function changed(before: TenantLimits, change: LimitsChange): TenantLimits {
  const quotas = quotaPeriods.flatMap((period) => {
    const quota = change.quotas?.[period];
    const next = quota === undefined ? before.quotas[period] : quota;
    return next ? [[period, next] as const] : [];
  });
  return {
    recipientsPerMail:
      change.recipientsPerMail === undefined ? before.recipientsPerMail : change.recipientsPerMail,
    bytesPerMail: change.bytesPerMail === undefined ? before.bytesPerMail : change.bytesPerMail,
    quotas: Object.fromEntries(quotas),
  };
}
