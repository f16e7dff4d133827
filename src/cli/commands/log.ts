import { systemClock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import type { DeliveriesReply, DeliveryEntry, EventEntry } from '../../console-api/console-api.ts';
import type { RunFile } from '../../run-file.ts';
import { type Call, type Command, exitCodes, usageProblem } from '../command.ts';
import { renderEvent } from '../event-line.ts';
import { follow } from '../follow.ts';
import { configOrProblem } from '../installation.ts';
import { askServer, type Parameters, runningServer } from '../running-server.ts';
import { jsonLine, renderTable, shownTime } from '../table.ts';
import { addressOf, countOf, idOf, momentOf, statesOf } from '../values.ts';

export const logCommand: Command = {
  name: 'log',
  summary: 'Tell what became of mail: the last known state of each forward-path, newest first',
  description:
    'With an ID: everything that happened to that mail, step by step. With `--follow`: what happens, as it happens, ' +
    'until Ctrl-C. Asks the running server, whose ledger also remembers what has left the queue.',
  operands: {
    text: '[ID]',
    meaning: 'A mail (`relayid`, 18 hex digits) or a single delivery of it (`relayid:n`).',
    min: 0,
    max: 1,
  },
  options: {
    to: { value: 'ADDRESS', meaning: 'Only this forward-path, without regard to case.' },
    from: {
      value: 'ADDRESS',
      meaning: 'Only mail with this address in its From field, without regard to case.',
    },
    status: {
      value: 'STATE',
      meaning: 'Only this state; several are separated by commas.',
      repeatable: true,
    },
    since: {
      value: 'TIME',
      meaning:
        'Accepted since: `15m` or `2d` ago, or `2026-11-22`, `2026-11-22T10:00Z`. UTC unless an offset is given. With an ID or `--follow`: happened since.',
    },
    until: { value: 'TIME', meaning: 'Before that time, in the same forms.' },
    tenant: { value: 'NAME', meaning: 'Only mail of this tenant.' },
    limit: { value: 'COUNT', meaning: `Most rows, 1 to ${limits.logPageRows}; 50 if not given.` },
    follow: {
      meaning:
        'Go on with what happens from now on, or from `--since` on. With `--json` one line of JSON each.',
    },
  },
  output:
    '{"deliveries":[{"id","relayId","tenant","mail":{…},"delivery":{…},"engagement":{…}}]}; with an ID {"events":[…]}; with --follow an event on each line: {"id","deliveryId","relayId","tenant","sequence","type","at","mail":{…},"delivery":{…},"status","engagement"}',
  examples: [
    'waybill log --to ann@shop.example',
    'waybill log --status deferred,failed --since 2h --tenant acme',
    'waybill log 19ab2c3d4e50000000',
    'waybill log --follow --json | jq .delivery.diagnostic',
  ],
  async run(call) {
    const [question, wanted] = [questionOf(call), wantedRows(call)];
    const config = configOrProblem(call);
    if (call.flag('follow')) return await follow(call, config, question);
    const ask = asker(runningServer(config), wanted);
    if (call.operands.length > 0) await tellStory(call, question, ask);
    else await tellDeliveries(call, question, ask);
    return exitCodes.ok;
  },
};

function questionOf(call: Call): Parameters {
  const now = systemClock.now();
  const [id] = call.operands;
  if (id !== undefined) idOf(id);
  const addresses = (['to', 'from'] as const).map((option): [string, string | undefined] => {
    const text = call.text(option);
    return [option, text === undefined ? undefined : addressOf(option, text).address];
  });
  if (call.flag('follow') && (call.flag('until') || call.flag('limit'))) {
    throw usageProblem('--follow goes on for ever: it takes neither --until nor --limit');
  }
  return [
    ['id', id],
    ...addresses,
    ...(statesOf(call, 'status') ?? []).map((state): [string, string] => ['status', state]),
    ['since', momentOf(call, 'since', now)],
    ['until', momentOf(call, 'until', now)],
    ['tenant', call.text('tenant')?.toLowerCase()],
  ];
}

type AskPage = <T>(path: string, parameters: Parameters) => Promise<T[]>;

/** The story of one mail is shown whole. */
function wantedRows(call: Call): number {
  const max = limits.logPageRows;
  return countOf(call, 'limit', { standard: call.operands.length > 0 ? max : 50, max });
}

/** Pages until there are as many rows as wanted. */
function asker(run: RunFile, wanted: number): AskPage {
  return async <T>(path: string, parameters: Parameters) => {
    const rows: T[] = [];
    let cursor: string | null | undefined;
    while (cursor !== null && rows.length < wanted) {
      const limit = Math.min(wanted - rows.length, limits.consolePageRows);
      const page: Record<string, unknown> = await askServer(run, path, [
        ...parameters,
        ['limit', limit],
        ['cursor', cursor],
      ]);
      rows.push(...(page[path.split('/').at(-1) ?? ''] as T[]));
      cursor = page['next'] as string | null;
    }
    return rows;
  };
}

async function tellStory({ json, terminal }: Call, question: Parameters, ask: AskPage): Promise<void> {
  const events = await ask<EventEntry>('/api/v1/events', question);
  if (json) terminal.out(jsonLine({ events }));
  else if (events.length === 0) terminal.err('nothing is known of it\n');
  else for (const event of events) terminal.out(renderEvent(event));
}

async function tellDeliveries({ json, terminal }: Call, question: Parameters, ask: AskPage): Promise<void> {
  const deliveries = await ask<DeliveryEntry>('/api/v1/deliveries', question);
  if (json) {
    terminal.out(jsonLine({ deliveries } satisfies Pick<DeliveriesReply, 'deliveries'>));
    return;
  }
  const heads = ['ACCEPTED', 'STATE', 'TENANT', 'FROM', 'TO', 'ID', 'SUBJECT', 'LAST REPLY'];
  const rows = deliveries.map(({ id, tenant, mail, delivery }) => [
    shownTime(mail.acceptedAt),
    delivery.reason === null ? delivery.state : `${delivery.state} (${delivery.reason})`,
    tenant,
    mail.fromField.address,
    delivery.forwardPath,
    id,
    mail.subject,
    delivery.diagnostic,
  ]);
  terminal.out(renderTable(heads, rows, terminal.columns));
}
