/** Appends a batch once, however often it is repeated (invariant I5). */
import { assert } from '../base/assert.ts';
import type { Chain } from './chain.ts';
import type { Engine } from './engine.ts';
import { encodeRows } from './event-row.ts';
import type { Batch } from './ledger.ts';

/** `chain`: what the batch is linked to once it stands there. */
export async function append(engine: Engine, batch: Batch, chain: Chain | null): Promise<void> {
  assertWhole(batch);
  if (batch.events.length === 0) return;
  const rows = encodeRows(batch.node, batch.events);
  await engine.append(rows, { deduplicationToken: tokenOf(batch) });
  await chain?.record(batch.node, batch.events, rows);
}

/** The token names the batch, so that a repeated one is known whatever happened in between. */
function tokenOf({ node, first, last }: Batch): string {
  return `${node}:${first}-${last}`;
}

function assertWhole({ node, first, last, events }: Batch): void {
  assert(
    /^[A-Za-z0-9._-]{1,253}$/.test(node),
    'a node is named by letters, digits, dots and dashes, as hosts are',
  );
  assert(events.length === last - first + 1, 'a batch holds all events from its first to its last');
  events.forEach((event, index) => {
    assert(event.sequence === first + index, `no hole in the outbox before sequence ${event.sequence}`);
  });
}
