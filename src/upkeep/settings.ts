/** How long what is kept: the configuration says it for all, a tenant may have settings of its own. And legal holds. */
import type { Clock } from '../base/clock.ts';
import { integer, type Row, type Store, text } from '../store/store.ts';

/** Times in milliseconds; null: for ever, or never. */
export interface Retention {
  eventsMs: number | null;
  deliveriesMs: number | null;
  countersMs: number | null;
  anonymiseMs: number | null;
  /** Bytes on disk that the table, or a tenant's share of it, may take; null: without a bound. */
  eventsBytes: number | null;
  deliveriesBytes: number | null;
}

export const retentionSettings = [
  'eventsMs',
  'deliveriesMs',
  'countersMs',
  'anonymiseMs',
  'eventsBytes',
  'deliveriesBytes',
] as const satisfies readonly (keyof Retention)[];

export type OwnRetention = Partial<Retention>;

/** `undefined` takes a setting back to what the configuration says. */
export type RetentionChange = { [K in keyof Retention]?: Retention[K] | undefined };

export const holdKinds = ['tenant', 'address', 'mail'] as const;
export type HoldKind = (typeof holdKinds)[number];

export interface LegalHold {
  id: number;
  tenantId: number;
  kind: HoldKind;
  /** '' for a tenant; an address in lower case; a mail id in digits. */
  subject: string;
  note: string;
  createdAt: number;
}

export interface UpkeepSettings {
  ownRetention(tenantId: number): OwnRetention;
  /** A tenant's own settings over those of the configuration. */
  retentionOf(tenantId: number): Retention;
  changeRetention(tenantId: number, change: RetentionChange): Retention;
  holds(tenantId?: number): LegalHold[];
  /** The one that is there already if there is one. */
  addHold(hold: Pick<LegalHold, 'tenantId' | 'kind' | 'subject' | 'note'>): LegalHold;
  removeHold(id: number): boolean;
}

export function createSettings(store: Store, standard: Retention, clock: Clock): UpkeepSettings {
  const ownRetention = (tenantId: number): OwnRetention => {
    const row = store.get('SELECT settings FROM tenant_retention WHERE tenant_id = ?', tenantId);
    return row ? (JSON.parse(text(row, 'settings')) as OwnRetention) : {};
  };
  const retentionOf = (tenantId: number) => ({ ...standard, ...ownRetention(tenantId) });
  return {
    ownRetention,
    retentionOf,
    changeRetention: (tenantId, change) =>
      store.transaction(() => {
        const settings = JSON.stringify({ ...ownRetention(tenantId), ...change }); // undefined members are left out
        store.run(
          `INSERT INTO tenant_retention (tenant_id, settings) VALUES (?, ?)
           ON CONFLICT (tenant_id) DO UPDATE SET settings = excluded.settings`,
          ...[tenantId, settings],
        );
        return retentionOf(tenantId);
      }),
    holds: (tenantId) =>
      store
        .all('SELECT * FROM ledger_holds WHERE ?1 IS NULL OR tenant_id = ?1 ORDER BY id', tenantId ?? null)
        .map(holdOf),
    addHold({ tenantId, kind, subject, note }) {
      store.run(
        `INSERT INTO ledger_holds (tenant_id, kind, subject, note, created_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING`,
        ...[tenantId, kind, subject, note, clock.now()],
      );
      const row = store.get(
        'SELECT * FROM ledger_holds WHERE tenant_id = ? AND kind = ? AND subject = ?',
        ...[tenantId, kind, subject],
      );
      if (!row) throw new Error('a hold that was written is not there');
      return holdOf(row);
    },
    removeHold: (id) => store.run('DELETE FROM ledger_holds WHERE id = ?', id).changes > 0,
  };
}

function holdOf(row: Row): LegalHold {
  return {
    id: integer(row, 'id'),
    tenantId: integer(row, 'tenant_id'),
    kind: holdKinds.find((kind) => kind === row['kind']) ?? 'tenant',
    subject: text(row, 'subject'),
    note: text(row, 'note'),
    createdAt: integer(row, 'created_at'),
  };
}
