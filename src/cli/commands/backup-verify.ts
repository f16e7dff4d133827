import { manifestIds, verifyBackup } from '../../backup/backup.ts';
import { folderOperand, progressLine, shownBytes, withProblems } from '../backup.ts';
import { type Call, type Command, CommandProblem, exitCodes } from '../command.ts';
import { jsonLine } from '../table.ts';

export const backupVerifyCommand: Command = {
  name: 'backup verify',
  summary: 'Compare every file of the backups in a folder with its checksum',
  description: 'The exit code is 1 if a file is missing or was changed.',
  operands: { text: 'DIR', meaning: 'Folder of backups.', min: 1, max: 1 },
  options: { id: { value: 'ID', meaning: 'Only this backup, as `waybill backup list` shows it.' } },
  output: '{"backups":[{"id","files","bytes","broken":[{"path","problem":"missing"|"changed"}]}]}',
  examples: ['waybill backup verify /backup/waybill'],
  run: (call) => withProblems(() => verify(call)),
};

async function verify({ operands, text, json, terminal }: Call): Promise<number> {
  const directory = folderOperand(operands);
  const ids = text('id') === undefined ? manifestIds(directory) : [text('id') ?? ''];
  if (ids.length === 0) throw new CommandProblem(`${directory} holds no backup`);
  const known = new Map();
  const line = progressLine(terminal);
  const backups = [];
  for (const id of ids) {
    line.show(`comparing ${id}`);
    backups.push(await verifyBackup(directory, id, known));
  }
  line.end();
  if (json) terminal.out(jsonLine({ backups }));
  for (const { id, files, bytes, broken } of json ? [] : backups) {
    terminal.out(
      `${id}  ${files} files  ${shownBytes(bytes)}  ${broken.length === 0 ? 'whole' : 'DAMAGED'}\n`,
    );
    for (const { path, problem } of broken) terminal.out(`  ${problem}: ${path}\n`);
  }
  return backups.every(({ broken }) => broken.length === 0) ? exitCodes.ok : exitCodes.failed;
}
