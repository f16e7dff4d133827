/**
 * The ledger as the one process that has it open works with it: engine, writer, upkeep. That is the office, or a
 * command while no server runs.
 */
import type { Clock } from './base/clock.ts';
import { maxNode } from './base/id.ts';
import { limits } from './base/limits.ts';
import type { Log } from './base/log.ts';
import type { InstallationKey } from './base/secret.ts';
import type { Config } from './config/config.ts';
import { type NodeOnServer, type OpenLedger, openLedger } from './ledger/ledger.ts';
import { createWriter, type Writer } from './ledger/writer.ts';
import { ledgerOptions } from './ledger-options.ts';
import { createOpenMails, createOutboxReader } from './queue/queue.ts';
import { type Store, storeId } from './store/store.ts';
import type { Tenants } from './tenants/tenants.ts';
import { createSettings, createUpkeep, type Retention, type Upkeep } from './upkeep/upkeep.ts';

export interface OfficeLedger {
  ledger: OpenLedger;
  writer: Writer;
  upkeep: Upkeep;
}

export interface OfficeLedgerDeps {
  config: Config;
  store: Store;
  tenants: Tenants;
  key: InstallationKey;
  clock: Clock;
  log: Log;
}

export async function openOfficeLedger(deps: OfficeLedgerDeps): Promise<OfficeLedger> {
  const { config, store, tenants, key, clock, log } = deps;
  const ledger = await openLedger({ ...ledgerOptions(config), key, log });
  const node = { name: `node${config.nodeNumber}`, number: config.nodeNumber };
  const outbox = createOutboxReader(store);
  if (config.ledger.url !== null) {
    assertOurs(node.number, await ledger.claimNode(node.name, storeId(store)), outbox.newest());
  }
  const writer = createWriter({ outbox, ledger, clock, node: node.name, log });
  const standard = retentionIn(config);
  const upkeep = createUpkeep({
    ...{ ledger, tenants, outbox, node, clock, log, store, standard },
    hold: (work) => writer.hold(work),
    catchUp: (withinMs) => writer.catchUp(withinMs),
    open: createOpenMails(store),
    settings: createSettings(store, standard, clock),
    nightlyAt: config.ledger.nightlyAt,
  });
  return { ledger, writer, upkeep };
}

/** Two relays of one number would number their events alike, and the ledger would take those of one only. */
function assertOurs(nodeNumber: number, { ours, newest }: NodeOnServer, written: number): void {
  if (!ours) {
    throw new Error(
      `another relay fills this ledger under node_number ${nodeNumber}: give this one a number of its own (0 to ${maxNode}). ` +
        "If that relay's data directory is lost, restore its backup or take a new number",
    );
  }
  if (newest > written) {
    throw new Error(
      `the ledger holds events of node_number ${nodeNumber} up to ${newest}, this store has written ${written}: it is an older ` +
        'copy, or a copy of it runs elsewhere. "waybill restore" brings a backup and the ledger together',
    );
  }
}

export function retentionIn({ ledger }: Config): Retention {
  return {
    eventsMs: ledger.keepEvents,
    deliveriesMs: ledger.keepDeliveries,
    countersMs: ledger.keepCounters,
    anonymiseMs: ledger.anonymiseAfter,
    eventsBytes: ledger.keepEventsBytes,
    deliveriesBytes: ledger.keepDeliveriesBytes,
  };
}

/** The newest events are in the ledger, then it is closed. */
export async function closeOfficeLedger({ ledger, writer }: OfficeLedger): Promise<void> {
  await writer.catchUp(limits.ledgerCatchUpMs);
  await ledger.close();
}
