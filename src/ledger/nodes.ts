/**
 * A node number belongs to one store. Two stores with the same one would number their events alike: of two batches under
 * one token the ledger keeps the first, and the other would be lost without a word.
 */
import type { Engine } from './engine.ts';

export interface NodeOnServer {
  /** This store has the number; false: another one does. */
  ours: boolean;
  /** Sequence of the newest event that the ledger has of the node; 0 if none. */
  newest: number;
}

/** Takes the number for this store unless it is taken. Of two at the same moment the earlier one has it. */
export async function claimNode(engine: Engine, node: string, store: string): Promise<NodeOnServer> {
  let owner = await ownerOf(engine, node);
  if (owner === null) {
    const values = { node, store };
    await engine.command(
      'INSERT INTO nodes (outbox_node, store) SELECT {node:String}, {store:String}',
      values,
    );
    owner = await ownerOf(engine, node);
  }
  return { ours: owner === store, newest: await newestSequenceOf(engine, node) };
}

async function ownerOf(engine: Engine, node: string): Promise<string | null> {
  const [row] = await engine.ask(
    'SELECT store FROM nodes WHERE outbox_node = {node:String} ORDER BY claimed_at, store LIMIT 1',
    { node },
  );
  return row === undefined ? null : String(row[0]);
}

export async function newestSequenceOf(engine: Engine, node: string): Promise<number> {
  const [row] = await engine.ask('SELECT max(sequence) FROM events WHERE outbox_node = {node:String}', {
    node,
  });
  return Number(row?.[0] ?? 0);
}
