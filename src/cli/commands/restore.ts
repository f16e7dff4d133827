import { type Manifest, restoreBackup } from '../../backup/backup.ts';
import type { Config } from '../../config/config.ts';
import { dataPaths } from '../../data-paths.ts';
import { newestSequence, restoreLedger } from '../../ledger/ledger.ts';
import { ledgerOptions } from '../../ledger-options.ts';
import { passInOutbox } from '../../queue/queue.ts';
import { readRunFile } from '../../run-file.ts';
import { openStore } from '../../store/store.ts';
import { folderOperand, progressLine, shownBytes, withProblems } from '../backup.ts';
import { type Call, type Command, CommandProblem, exitCodes } from '../command.ts';
import { configOrProblem } from '../installation.ts';
import { jsonLine, shownTime } from '../table.ts';

export const restoreCommand: Command = {
  name: 'restore',
  summary: 'Make a data directory from a backup',
  description:
    'Into the data directory of the configuration, which has to be empty or missing. Every file is compared with its ' +
    'checksum. What was queued at the time of the backup is queued again: mail that was delivered since will be ' +
    'delivered once more, unless it is held or canceled before "waybill serve".',
  operands: { text: 'DIR', meaning: 'Folder of backups.', min: 1, max: 1 },
  options: {
    id: { value: 'ID', meaning: 'This backup; without it the newest.' },
    key: { value: 'FILE', meaning: 'The installation key, for a backup that was made without it.' },
  },
  output: '{"id","dataDir","files","bytes","of","ledger":"embedded"|"server"}',
  examples: ['WAYBILL_DATA_DIR=/var/lib/waybill waybill restore /backup/waybill'],
  run: (call) => withProblems(() => restore(call)),
};

async function restore(call: Call): Promise<number> {
  const config = configOrProblem(call);
  const { dataDir } = config;
  if (readRunFile(dataDir) !== null) throw new CommandProblem(`a server runs on ${dataDir}`);
  const line = progressLine(call.terminal);
  const manifest = await restoreBackup({
    ...{ directory: folderOperand(call.operands), dataDir, id: call.text('id'), keyFile: call.text('key') },
    restoreLedger: (frozen, from) => restoreLedger(ledgerOptions(config), frozen, from),
    beforeEnd: (found) => meetServer(config, found),
    onProgress: (bytes, total) => line.show(`${shownBytes(bytes)} of ${shownBytes(total)}`),
  });
  line.end();
  tell(call, manifest, dataDir);
  return exitCodes.ok;
}

/**
 * A ledger on a server went on after the backup. What it has of the restored outbox is not appended again, and new
 * events are numbered after its newest one: the numbers of a node are never used twice.
 */
async function meetServer(config: Config, { ledger, node }: Manifest): Promise<void> {
  if (ledger.kind === 'embedded') return;
  if (config.ledger.url === null) {
    throw new CommandProblem(
      'the ledger of this backup stands on a server: set ledger.url to it, and restore again',
    );
  }
  const newest = await newestSequence(ledgerOptions(config), `node${node}`);
  const store = openStore(dataPaths(config.dataDir).store);
  try {
    passInOutbox(store, newest);
  } finally {
    store.close();
  }
}

function tell({ json, terminal }: Call, { id, files, startedAt, ledger }: Manifest, dataDir: string): void {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (json) {
    terminal.out(jsonLine({ id, dataDir, files: files.length, bytes, of: startedAt, ledger: ledger.kind }));
    return;
  }
  terminal.out(
    `restored ${id}, of ${shownTime(startedAt)}, into ${dataDir}: ${files.length} files, ${shownBytes(bytes)}\n` +
      'what was queued then is queued again: look at it with "waybill queue list" before "waybill serve"\n',
  );
}
