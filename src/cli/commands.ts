/** All commands, in the order help shows them. To add one: its file, and a line here. */
import type { Command } from './command.ts';
import { backupCommand } from './commands/backup.ts';
import { backupListCommand } from './commands/backup-list.ts';
import { backupVerifyCommand } from './commands/backup-verify.ts';
import { configCheckCommand } from './commands/config-check.ts';
import { configShowCommand } from './commands/config-show.ts';
import { denyAddCommand } from './commands/deny-add.ts';
import { denyListCommand } from './commands/deny-list.ts';
import { denyRemoveCommand } from './commands/deny-remove.ts';
import { diagnoseReportCommand } from './commands/diagnose-report.ts';
import { dkimCreateCommand } from './commands/dkim-create.ts';
import { dkimListCommand } from './commands/dkim-list.ts';
import { dkimRetireCommand } from './commands/dkim-retire.ts';
import { dkimRotateCommand } from './commands/dkim-rotate.ts';
import { dkimShowCommand } from './commands/dkim-show.ts';
import { exportCommand } from './commands/export.ts';
import { importCommand } from './commands/import.ts';
import { ledgerAnonymiseCommand } from './commands/ledger-anonymise.ts';
import { ledgerEraseCommand } from './commands/ledger-erase.ts';
import { ledgerHoldAddCommand } from './commands/ledger-hold-add.ts';
import { ledgerHoldListCommand } from './commands/ledger-hold-list.ts';
import { ledgerHoldRemoveCommand } from './commands/ledger-hold-remove.ts';
import { ledgerMoveCommand } from './commands/ledger-move.ts';
import { ledgerRebuildCommand } from './commands/ledger-rebuild.ts';
import { ledgerStatusCommand } from './commands/ledger-status.ts';
import { ledgerVerifyCommand } from './commands/ledger-verify.ts';
import { logCommand } from './commands/log.ts';
import { operatorCreateCommand } from './commands/operator-create.ts';
import { operatorListCommand } from './commands/operator-list.ts';
import { poolSetCommand } from './commands/pool-set.ts';
import { poolShowCommand } from './commands/pool-show.ts';
import { queueCancelCommand } from './commands/queue-cancel.ts';
import { queueHoldCommand } from './commands/queue-hold.ts';
import { queueListCommand } from './commands/queue-list.ts';
import { queueMoveCommand } from './commands/queue-move.ts';
import { queueReleaseCommand } from './commands/queue-release.ts';
import { queueRetryCommand } from './commands/queue-retry.ts';
import { queueShowCommand } from './commands/queue-show.ts';
import { quotaSetCommand } from './commands/quota-set.ts';
import { quotaShowCommand } from './commands/quota-show.ts';
import { restoreCommand } from './commands/restore.ts';
import { retentionRunCommand } from './commands/retention-run.ts';
import { retentionSetCommand } from './commands/retention-set.ts';
import { retentionShowCommand } from './commands/retention-show.ts';
import { retrySetCommand } from './commands/retry-set.ts';
import { retryShowCommand } from './commands/retry-show.ts';
import { sendCommand } from './commands/send.ts';
import { serveCommand } from './commands/serve.ts';
import { shapingShowCommand } from './commands/shaping-show.ts';
import { sqlCommand } from './commands/sql.ts';
import { suppressionAddCommand } from './commands/suppression-add.ts';
import { suppressionAllowCommand } from './commands/suppression-allow.ts';
import { suppressionListCommand } from './commands/suppression-list.ts';
import { suppressionRemoveCommand } from './commands/suppression-remove.ts';
import { tenantCreateCommand } from './commands/tenant-create.ts';
import { tenantListCommand } from './commands/tenant-list.ts';
import { warmUpPauseCommand, warmUpResumeCommand, warmUpStopCommand } from './commands/warmup-change.ts';
import { warmUpShowCommand } from './commands/warmup-show.ts';
import { warmUpStartCommand } from './commands/warmup-start.ts';

export const commands: readonly Command[] = [
  serveCommand,
  tenantCreateCommand,
  tenantListCommand,
  dkimListCommand,
  dkimShowCommand,
  dkimCreateCommand,
  dkimRotateCommand,
  dkimRetireCommand,
  quotaShowCommand,
  quotaSetCommand,
  retryShowCommand,
  retrySetCommand,
  poolShowCommand,
  poolSetCommand,
  warmUpStartCommand,
  warmUpShowCommand,
  warmUpPauseCommand,
  warmUpResumeCommand,
  warmUpStopCommand,
  denyListCommand,
  denyAddCommand,
  denyRemoveCommand,
  suppressionListCommand,
  suppressionAddCommand,
  suppressionRemoveCommand,
  suppressionAllowCommand,
  operatorCreateCommand,
  operatorListCommand,
  sendCommand,
  logCommand,
  exportCommand,
  sqlCommand,
  queueListCommand,
  queueShowCommand,
  queueRetryCommand,
  queueCancelCommand,
  queueHoldCommand,
  queueReleaseCommand,
  queueMoveCommand,
  backupCommand,
  backupListCommand,
  backupVerifyCommand,
  restoreCommand,
  shapingShowCommand,
  ledgerStatusCommand,
  ledgerVerifyCommand,
  ledgerRebuildCommand,
  ledgerMoveCommand,
  ledgerEraseCommand,
  ledgerAnonymiseCommand,
  ledgerHoldAddCommand,
  ledgerHoldListCommand,
  ledgerHoldRemoveCommand,
  retentionShowCommand,
  retentionSetCommand,
  retentionRunCommand,
  configShowCommand,
  configCheckCommand,
  diagnoseReportCommand,
  importCommand,
];
