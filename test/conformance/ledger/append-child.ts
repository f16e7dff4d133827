/**
 * A process that appends: it opens the ledger in the folder it is given and appends batch after batch as
 * its parent asks, so that the parent can kill it in the middle. The history comes from a seed, so parent
 * and child speak of the same events.
 */
import { openLedger } from '../../../src/ledger/ledger.ts';
import { crashBatches } from './crash-history.ts';

const [path = ''] = process.argv.slice(2);
const batches = crashBatches();
const ledger = await openLedger({ url: null, path });
process.on('message', async (index: number) => {
  const batch = batches[index];
  if (batch) await ledger.append(batch);
  process.send?.(index);
});
process.on('disconnect', () => process.exit());
process.send?.('open');
