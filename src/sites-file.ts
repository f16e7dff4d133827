/**
 * What the relay knows of sites, for the command line: `<data>/sites.json`, written anew when it changes. Nothing is
 * decided by it and nothing is lost with it, so it is not synced.
 */
import { readFileSync, rmSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import type { Clock } from './base/clock.ts';
import { limits } from './base/limits.ts';
import type { Log } from './base/log.ts';
import type { Relay, SiteSnapshot } from './relay/relay.ts';

export interface SitesShown {
  at: number;
  sites: SiteSnapshot[];
}

export async function showSites(
  relay: Pick<Relay, 'sites'>,
  path: string,
  { clock, stop, log }: { clock: Clock; stop: AbortSignal; log: Log },
): Promise<void> {
  let written = '';
  while (!stop.aborted) {
    const sites = JSON.stringify(relay.sites());
    if (sites !== written)
      await write(path, `{"at":${clock.now()},"sites":${sites}}\n`).catch((fault: unknown) =>
        log.warn({ fault }, 'the state of the sites could not be written'),
      );
    written = sites;
    await clock.sleep(limits.sitesShownEveryMs, stop);
  }
  rmSync(path, { force: true });
}

async function write(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Null: no relay has written one. */
export function readSites(path: string): SitesShown | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as SitesShown;
  } catch {
    return null;
  }
}
