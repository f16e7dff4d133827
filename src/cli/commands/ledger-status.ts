import type { LedgerReply } from '../../console-api/console-api.ts';
import { readRunFile } from '../../run-file.ts';
import { type Job, lastRuns } from '../../upkeep/upkeep.ts';
import { type Command, exitCodes } from '../command.ts';
import { withInstallation } from '../installation.ts';
import { summaryOf } from '../ledger-summary.ts';
import { askServer } from '../running-server.ts';
import { jsonLine, renderTable, shownTime } from '../table.ts';

export const ledgerStatusCommand: Command = {
  name: 'ledger status',
  summary: "Show how the ledger's upkeep went last, and what is being done now",
  description:
    'Verifying, rebuilding, retention, erasing and anonymising, each with its last run. The server verifies the ledger ' +
    'and removes what is too old every night at `ledger.nightly_at`.',
  options: {},
  output:
    '{"current","last":[{"id","kind","state","startedAt","endedAt","progress":{"done","total"},"result","problem"}]}',
  examples: ['waybill ledger status', 'waybill ledger status --json'],
  run: (call) =>
    withInstallation(call, { create: false }, async ({ config, store }) => {
      const run = readRunFile(config.dataDir);
      const reply = run ? await askServer<LedgerReply>(run, '/api/v1/ledger', []) : null;
      const status: LedgerReply = reply ?? { current: null, last: lastRuns(store) };
      if (call.json) call.terminal.out(jsonLine(status));
      else call.terminal.out(renderTable(heads, rowsOf(status), call.terminal.columns));
      return exitCodes.ok;
    }),
};

const heads = ['WHAT', 'STATE', 'BEGAN', 'ENDED', 'RESULT'];

function rowsOf({ current, last }: LedgerReply): string[][] {
  const shown = current?.state === 'running' ? [current, ...last] : last;
  return shown.map((job) => [
    job.kind,
    job.state,
    shownTime(job.startedAt),
    shownTime(job.endedAt),
    resultOf(job),
  ]);
}

function resultOf(job: Job): string {
  if (job.state === 'running') return `${job.progress.done} of ${job.progress.total}`;
  return job.problem ?? summaryOf(job);
}
