/** How much of what machines for how many events a day, from what was measured (docs/reference/measured.json). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const measuredForm = z.object({
  comment: z.string(),
  eventsPerDelivery: z.number().positive(),
  /** On disk, by table. */
  bytesPerEvent: z.record(z.string(), z.number().positive()),
  appendCpuMicrosecondsPerEvent: z.number().positive(),
  relayedPerSecond: z.number().positive(),
});
export type Measured = z.infer<typeof measuredForm>;

/** What is decided, not measured; the page says each. */
export const assumed = {
  days: 400,
  /** A busy second beside the average one. */
  peak: 5,
  /** Of a disk: merges write a part anew before they remove the old ones. */
  filled: 2 / 3,
  /** Of the cores and of a relay's rate: the rest is for merges, questions, and a bad day. */
  used: 0.25,
  coresPerServer: 16,
  diskPerServer: 8e12,
  /** What one server or process asks and merges with; as in `npm run bench:ledger`. */
  workingMemory: 2 * 1024 ** 3,
  /** Up to here the engine in Waybill does; beyond it a server of its own has its own disks and backups. */
  embeddedDisk: 1e12,
  replicas: 3,
};

export interface Size {
  eventsPerDay: number;
  peakPerSecond: number;
  disk: number;
  cores: number;
  memory: number;
  shards: number;
  relays: number;
  form: 'in process' | 'one server' | 'cluster';
}

export function readMeasured(root: string): Measured {
  return measuredForm.parse(JSON.parse(readFileSync(join(root, 'docs/reference/measured.json'), 'utf8')));
}

export function sizeFor(eventsPerDay: number, measured: Measured): Size {
  const events = eventsPerDay * assumed.days;
  const bytes = Object.values(measured.bytesPerEvent).reduce((sum, each) => sum + each, 0);
  const peakPerSecond = (eventsPerDay / 86_400) * assumed.peak;
  const disk = (events * bytes) / assumed.filled;
  const cores = (peakPerSecond * measured.appendCpuMicrosecondsPerEvent) / 1e6 / assumed.used;
  const shards = Math.ceil(Math.max(disk / assumed.diskPerServer, cores / assumed.coresPerServer));
  const peakDeliveries = peakPerSecond / measured.eventsPerDelivery;
  return {
    ...{ eventsPerDay, peakPerSecond, disk, cores, shards },
    memory: assumed.workingMemory + indexBytes(events, measured) / shards,
    relays: Math.ceil(peakDeliveries / (measured.relayedPerSecond * assumed.used)),
    form: shards > 1 ? 'cluster' : disk > assumed.embeddedDisk ? 'one server' : 'in process',
  };
}

/** Sorting keys are kept in memory, one for 8,192 events of 30 bytes each, one for 2,048 deliveries of 20. */
function indexBytes(events: number, { eventsPerDelivery }: Measured): number {
  return (events / 8192) * 30 + (events / eventsPerDelivery / 2048) * 20;
}

const perDay = [1e5, 1e6, 1e7, 1e8, 1e9];

export function renderSizing(measured: Measured): string {
  const rows = perDay.map((events) => rowOf(sizeFor(events, measured)));
  return `| events a day | deliveries a day | busy second | ledger | disk | cores | memory | ledger servers | relays |
|---|---|---|---|---|---|---|---|---|
${rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}

Disk, cores and memory are of one replica, over all shards but for memory, which is of each server. Assumed: ${assumed.days} days are kept, a busy second has ${assumed.peak} times the
events of an average one, disks are filled to ${percent(assumed.filled)}, appends may take ${percent(assumed.used)} of the cores, a server has ${assumed.coresPerServer} cores and
${size(assumed.diskPerServer)} of disk, ${assumed.replicas} replicas in a cluster, contents of 4 KiB, relays of 2 cores that are busy to ${percent(assumed.used)}.`;

  function rowOf(of: Size): string[] {
    return [
      count(of.eventsPerDay),
      count(of.eventsPerDay / measured.eventsPerDelivery),
      `${count(of.peakPerSecond)} events`,
      of.form,
      size(of.disk),
      of.cores < 1 ? 'below 1' : count(Math.ceil(of.cores)),
      `${(of.memory / 1024 ** 3).toFixed(1)} GiB`,
      of.form === 'in process'
        ? 'none'
        : of.form === 'one server'
          ? '1'
          : `${of.shards} × ${assumed.replicas}`,
      count(of.relays),
    ];
  }
}

const count = (value: number) => new Intl.NumberFormat('en', { maximumSignificantDigits: 2 }).format(value);
const percent = (share: number) => `${Math.round(share * 100)} %`;

function size(bytes: number): string {
  const [unit, name] = bytes >= 1e12 ? [1e12, 'TB'] : [1e9, 'GB'];
  return `${new Intl.NumberFormat('en', { maximumSignificantDigits: 2 }).format(bytes / unit)} ${name}`;
}
