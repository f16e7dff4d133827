/** Events by the facts' own names, as SQL tells them: what `src/ledger/stored-event.ts` reads must say the same. */
import type { DeliveryStatus } from '../../src/events/delivery-status.ts';
import type { MailEvent } from '../../src/events/event.ts';
import {
  deliverySelection,
  mailSelection,
  RowReader,
  readDelivery,
  readMail,
} from '../../src/ledger/columns.ts';
import type { Cell } from '../../src/ledger/engine.ts';
import { readEngagement } from '../../src/ledger/stored-event.ts';

const ms = (column: string) => `toUnixTimestamp64Milli(${column})`;

const statusSelection = [
  ...['status_outcome', 'status_stage', 'status_reply_code', 'status_reply_text', 'status_enhanced_status'],
  ...['status_enhanced_origin', 'status_reason', 'status_diagnostic', 'status_remote_mta'],
  ...['status_remote_mta_address', 'status_remote_mta_port', 'status_sending_ip', 'status_tls_version'],
  ...['status_tls_cipher', 'status_tls_verified', ms('status_started_at'), 'status_duration_ms'],
];

const engagementSelection = ['client_ip', 'user_agent', 'device', 'client', 'os', 'is_bot', 'country', 'url'];

export const eventSelection = [
  ...['outbox_node', 'sequence', 'type', ms('at')],
  ...mailSelection,
  ...deliverySelection,
  ...statusSelection,
  ...engagementSelection,
];

function readStatus(row: RowReader): DeliveryStatus | null {
  const outcome = row.member<DeliveryStatus['outcome']>();
  const stage = row.take<DeliveryStatus['stage']>();
  const [code, text] = [row.take<number | null>(), row.text()];
  const enhancedStatus: DeliveryStatus['enhancedStatus'] = { value: row.text(), origin: row.take() };
  const reason = row.member<NonNullable<DeliveryStatus['reason']>>();
  const diagnostic = row.text();
  const [name, address, port] = [row.text(), row.text(), row.take<number | null>()];
  const sendingIp = row.text();
  const [version, cipher, verified] = [row.text(), row.text(), row.take<boolean | null>()];
  const [startedAt, durationMs] = [row.number(), row.number()];
  if (outcome === null) return null;
  const reply = code === null ? null : { code, text };
  const remoteMta = port === null ? null : { name, address, port };
  const tls = verified === null ? null : { version, cipher, verified };
  return {
    ...{ outcome, stage, reply, enhancedStatus, reason, diagnostic, remoteMta, sendingIp, tls },
    ...{ startedAt, durationMs },
  };
}

export function readEvent(cells: readonly Cell[]): { node: string; event: MailEvent } {
  const row = new RowReader(cells);
  const node = row.text();
  const event: MailEvent = {
    sequence: row.number(),
    type: row.take(),
    at: row.number(),
    mail: readMail(row),
    delivery: readDelivery(row),
    status: readStatus(row),
    engagement: readEngagement(row),
  };
  return { node, event };
}
