/** What the jobs of the upkeep work with. */
import type { Clock } from '../base/clock.ts';
import type { Hold, Ledger } from '../ledger/ledger.ts';
import type { OpenMails } from '../queue/queue.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { Proved } from './proved.ts';
import type { Retention, UpkeepSettings } from './settings.ts';

export interface Work {
  ledger: Pick<Ledger, 'maintenance'>;
  /** Runs something while no batch is half appended and none is begun. */
  hold: Hold;
  /** True once everything in the outbox has been appended; false if it has not in time. */
  catchUp: (withinMs: number) => Promise<boolean>;
  outbox: { cursor(): { appendedTo: number } };
  open: OpenMails;
  tenants: Pick<Tenants, 'tenants' | 'tenant' | 'erasedAddress' | 'eraseSuppressed'>;
  settings: UpkeepSettings;
  proved: Proved;
  /** What the configuration says. */
  standard: Retention;
  /** Name of this node's outbox, and its number in mail ids. */
  node: { name: string; number: number };
  clock: Clock;
}
