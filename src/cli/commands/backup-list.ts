import { bytesOf, manifestIds, readManifest } from '../../backup/backup.ts';
import { folderOperand, shownBytes, withProblems } from '../backup.ts';
import { type Call, type Command, exitCodes } from '../command.ts';
import { jsonLine, renderTable, shownTime } from '../table.ts';

export const backupListCommand: Command = {
  name: 'backup list',
  summary: 'List the backups in a folder, oldest first',
  operands: { text: 'DIR', meaning: 'Folder of backups.', min: 1, max: 1 },
  options: {},
  output: '{"backups":[{"id","startedAt","finishedAt","waybill","node","files","bytes","ledger","withKey"}]}',
  examples: ['waybill backup list /backup/waybill'],
  run: (call) => withProblems(async () => list(call)),
};

function list({ operands, json, terminal }: Call): number {
  const directory = folderOperand(operands);
  const backups = manifestIds(directory).map((id) => {
    const { startedAt, finishedAt, waybill, node, files, ledger, withKey } = readManifest(directory, id);
    const counts = { files: files.length, bytes: bytesOf(files) };
    return { id, startedAt, finishedAt, waybill, node, ...counts, ledger: ledger.kind, withKey };
  });
  if (json) terminal.out(jsonLine({ backups }));
  else if (backups.length === 0) terminal.err(`${directory} holds no backup\n`);
  else {
    const rows = backups.map(({ id, startedAt, waybill, files, bytes, ledger, withKey }) => [
      ...[id, shownTime(startedAt), waybill, String(files), shownBytes(bytes), ledger],
      withKey ? 'yes' : 'no',
    ]);
    terminal.out(
      renderTable(['ID', 'OF', 'WAYBILL', 'FILES', 'SIZE', 'LEDGER', 'KEY'], rows, terminal.columns),
    );
  }
  return exitCodes.ok;
}
