/**
 * `waybill log --follow`: asks again and again for events since the newest one. Some come into the ledger a little
 * later than newer ones, so each question reaches back a while and what was shown already is passed over.
 */
import { systemClock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Config } from '../config/config.ts';
import type { EventEntry, EventsReply } from '../console-api/console-api.ts';
import { type Call, exitCodes } from './command.ts';
import { renderEvent } from './event-line.ts';
import { askServer, type Parameters, runningServer, Unreachable } from './running-server.ts';
import { jsonLine } from './table.ts';

const pollMs = 500;

export async function follow(call: Call, config: Config, question: Parameters): Promise<number> {
  const stop = call.terminal.interrupted();
  const others = question.filter(([name]) => name !== 'since');
  const asked = question.find(([name]) => name === 'since')?.[1];
  const seen = new Seen(typeof asked === 'number' ? asked : systemClock.now());
  let heardAt = systemClock.now();
  runningServer(config);
  while (!stop.aborted) {
    try {
      for await (const event of eventsSince(config, others, seen.since)) {
        if (seen.add(event)) call.terminal.out(call.json ? jsonLine(event) : renderEvent(event));
        if (stop.aborted) break;
      }
      heardAt = systemClock.now();
    } catch (error) {
      // A server that is started again is back soon, perhaps at another address.
      if (!(error instanceof Unreachable) || systemClock.now() - heardAt > limits.followGapMs) throw error;
    }
    await systemClock.sleep(pollMs, stop);
  }
  return exitCodes.ok;
}

async function* eventsSince(config: Config, question: Parameters, since: number): AsyncGenerator<EventEntry> {
  const run = runningServer(config);
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const parameters: Parameters = [
      ...question,
      ['since', since],
      ['limit', limits.consolePageRows],
      ['cursor', cursor],
    ];
    const page: EventsReply = await askServer(run, '/api/v1/events', parameters);
    yield* page.events;
    cursor = page.next;
  }
}

/** Events shown within the overlap; older ones are not asked for again. */
class Seen {
  readonly #from: number;
  #newestAt: number;
  #ids = new Map<string, number>();

  constructor(from: number) {
    this.#from = from;
    this.#newestAt = from;
  }

  get since(): number {
    return Math.max(this.#from, this.#newestAt - limits.followOverlapMs);
  }

  /** False if it was there already. */
  add({ id, at }: EventEntry): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.set(id, at);
    if (at > this.#newestAt) {
      this.#newestAt = at;
      this.#forget();
    }
    return true;
  }

  /** Ids stand in the order they came, which is nearly that of time: those at the front go first. */
  #forget(): void {
    for (const [id, at] of this.#ids) {
      if (at >= this.since) return;
      this.#ids.delete(id);
    }
  }
}
