/** A store with a tenant, and logs written into a folder of their own: what an import makes of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, manualClock } from '../../src/base/clock.ts';
import type { MailEvent } from '../../src/events/event.ts';
import { importLogs, openLogFile, type Summary } from '../../src/imports/imports.ts';
import type { LogFormat } from '../../src/imports/record.ts';
import { createOutboxReader, openQueue } from '../../src/queue/queue.ts';
import { openStore } from '../../src/store/store.ts';

export interface ImportWorld {
  folder: string;
  /** Writes a log file; returns its path. */
  file(name: string, content: string | Buffer): string;
  import(format: LogFormat, paths: readonly string[], how?: How): Promise<Summary>;
  /** Everything that was written for the ledger, in order. */
  events(): MailEvent[];
  /** `forward-path type, …` of each mail, in the order of their first event. */
  stories(): string[];
  close(): void;
}

interface How {
  zone?: string;
  year?: number;
  signal?: AbortSignal;
}

/** Half a year after the times in the tests' logs. */
export const importedAt = Temporal.Instant.from('2026-11-27T12:00:00Z').epochMilliseconds;

export function newImportWorld(clock: Clock = manualClock(importedAt)): ImportWorld {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-import-'));
  const store = openStore(join(folder, 'store.sqlite'), { grouped: true });
  const [queue, outbox] = [openQueue(store), createOutboxReader(store)];
  const owner = { tenantId: 1, streamId: 10_001, domains: new Set(['acme.test']) };
  const events = () => outbox.read(0, 1_000_000);
  return {
    folder,
    file(name, content) {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    },
    async import(format, paths, { zone = 'UTC', year, signal = new AbortController().signal } = {}) {
      const files = await Promise.all(paths.map(openLogFile));
      const deps = { store, queue, clock, owner, format, zone, year: year ?? null, signal };
      return importLogs({ ...deps, isCarried: () => false, tell: () => undefined }, files);
    },
    events,
    stories: () => storiesOf(events()),
    close() {
      store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function storiesOf(events: readonly MailEvent[]): string[] {
  const stories = new Map<string, string[]>();
  for (const { mail, delivery, type } of events) {
    const name = `${mail.reversePath} > ${delivery.forwardPath}:`;
    const key = `${mail.mailId} ${name}`;
    const story = stories.get(key) ?? [name];
    story.push(type);
    stories.set(key, story);
  }
  return [...stories.values()].map((words) => words.join(' '));
}

/** Of a summary what tells how the mails ended, in the order in which it is printed. */
export function counts({
  mails,
  deliveries,
  delivered,
  deferred,
  failed,
  expired,
  unparsed,
}: Record<string, number | boolean>) {
  return [mails, deliveries, delivered, deferred, failed, expired, unparsed];
}
