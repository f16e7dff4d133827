import { makeBackup, pruneBackups } from '../../backup/backup.ts';
import { systemClock } from '../../base/clock.ts';
import { version } from '../../version.ts';
import {
  folderOperand,
  progressLine,
  shownBytes,
  withBackupFolder,
  withProblems,
  withSnapshot,
} from '../backup.ts';
import { type Call, type Command, exitCodes } from '../command.ts';
import { configOrProblem } from '../installation.ts';
import { jsonLine, shownTime } from '../table.ts';
import { countOf } from '../values.ts';

export const backupCommand: Command = {
  name: 'backup',
  summary: 'Copy store, spool and ledger of one moment into a folder, while mail flows',
  description:
    'A second backup into the same folder copies only what is new; each is whole by itself. Without `--without-key` it ' +
    'holds the key that opens all secrets: keep it as safe as the data directory. A ledger on a server is not copied.',
  operands: { text: 'DIR', meaning: 'Folder of backups; made if it is missing.', min: 1, max: 1 },
  options: {
    keep: { value: 'COUNT', meaning: 'Afterwards remove all but the newest backups, so many.' },
    'without-key': { meaning: 'Leave the installation key out; `waybill restore --key` then asks for it.' },
  },
  output:
    '{"id","directory","files","bytes","copiedFiles","copiedBytes","durationMs","removedBackups","ledger":"embedded"|"server"}',
  examples: ['waybill backup /backup/waybill', 'waybill backup /backup/waybill --keep 14 --json'],
  run: (call) => withProblems(() => withBackupFolder(folderOperand(call.operands), () => backUp(call))),
};

async function backUp(call: Call): Promise<number> {
  const config = configOrProblem(call);
  const directory = folderOperand(call.operands);
  const keep = call.flag('keep') ? countOf(call, 'keep', { standard: 1, max: 100_000 }) : null;
  const startedAt = systemClock.now();
  const line = progressLine(call.terminal);
  const { manifest, copiedFiles, copiedBytes } = await withSnapshot(config, (snapshot) =>
    makeBackup({
      ...{ directory, snapshot, startedAt, clock: systemClock, dataDir: config.dataDir },
      ...{ program: version, node: config.nodeNumber, withKey: !call.flag('without-key') },
      onProgress: ({ bytes, totalBytes }) => line.show(`${shownBytes(bytes)} of ${shownBytes(totalBytes)}`),
    }),
  );
  line.end();
  const removed = keep === null ? 0 : pruneBackups(directory, keep).backups;
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  const durationMs = manifest.finishedAt - startedAt;
  const ledger = manifest.ledger.kind;
  if (call.json) {
    const counts = { files: manifest.files.length, bytes, copiedFiles, copiedBytes, durationMs };
    call.terminal.out(jsonLine({ id: manifest.id, directory, ...counts, removedBackups: removed, ledger }));
    return exitCodes.ok;
  }
  call.terminal.out(
    `backup ${manifest.id} of ${shownTime(startedAt)}: ${manifest.files.length} files, ${shownBytes(bytes)}; ` +
      `copied ${copiedFiles} files, ${shownBytes(copiedBytes)} in ${(durationMs / 1000).toFixed(1)} s\n`,
  );
  if (ledger === 'server') call.terminal.out('the ledger stands on a server and is not in it\n');
  if (removed > 0) call.terminal.out(`removed ${removed} older backups\n`);
  return exitCodes.ok;
}
