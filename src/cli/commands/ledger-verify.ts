import type { Verified } from '../../upkeep/upkeep.ts';
import { type Command, exitCodes } from '../command.ts';
import { runJob } from '../ledger-job.ts';
import { verifiedLine } from '../ledger-summary.ts';
import { jsonLine } from '../table.ts';

export const ledgerVerifyCommand: Command = {
  name: 'ledger verify',
  summary: 'Prove the ledger: what it counts against its events, tenant by tenant and hour by hour',
  description:
    'Compares counters, last known states and engagement with the events, the open deliveries with the queue, and whether ' +
    'accepted = delivered + failed + expired + suppressed + canceled + in queue. Names the first difference and ends ' +
    'with exit code 1 if there is any. What retention removed is left out. Works with or without a running server.',
  options: {
    chain: {
      meaning:
        'Also walk the chain of batches: finds events that were edited, removed, inserted or moved. Reads every event.',
    },
  },
  output:
    '{"ok","counts":{"events","hours","differences":[{"tenantId","hour","what","expected","found"}],"queueLeftOut","tenants":{id:name}},"chain":{"nodes":[{"node","batches","intact","amended","expired","before"}],"problems":[{"node","first","last","problem"}]}}; "chain" is null without --chain',
  examples: ['waybill ledger verify', 'waybill ledger verify --chain --json | jq .chain'],
  async run(call) {
    const verified = await runJob<Verified>(call, { kind: 'verify', chain: call.flag('chain') });
    call.terminal.out(call.json ? jsonLine(verified) : described(verified));
    return verified.ok ? exitCodes.ok : exitCodes.failed;
  },
};

function described(verified: Verified): string {
  const { counts, chain } = verified;
  const lines = [verifiedLine(verified)];
  if (counts.differences.length > 1)
    lines.push(`${counts.differences.length} differences; --json lists them`);
  if (counts.queueLeftOut !== null) lines.push(`the queue was not compared: ${counts.queueLeftOut}`);
  for (const { node, batches, intact, amended, expired, before } of chain?.nodes ?? []) {
    const older = before === 0 ? '' : `; ${before} events are older than the chain`;
    lines.push(
      `${node}: ${batches} batches, ${intact} intact, ${amended} amended, ${expired} expired${older}`,
    );
  }
  for (const { node, first, last, problem } of chain?.problems ?? []) {
    lines.push(`${node}: ${first === last ? `event ${first}` : `events ${first} to ${last}`}: ${problem}`);
  }
  return `${lines.join('\n')}\n`;
}
