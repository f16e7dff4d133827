/**
 * "One query a minute; inside the minute, the previous query's reply": the replies kept for that. Bounded in
 * number and bytes; the oldest go first, and their callers are answered afresh a little too early.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import { type Fields, lastValue } from '../../http/query.ts';
import type { CacheKey } from './options.ts';
import { logParameters } from './parse.ts';

interface Entry {
  at: number;
  body: Promise<string>;
  /** 0 until the body is there. */
  bytes: number;
}

export interface KeptReply {
  body: string;
  /** Null for a fresh reply. */
  ageMs: number | null;
}

export interface Bounds {
  replies: number;
  bytes: number;
}

const standardBounds: Bounds = { replies: limits.cachedReplies, bytes: limits.cachedReplyBytes };

export class ReplyCache {
  /** In the order of their making. */
  readonly #entries = new Map<string, Entry>();
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #bounds: Bounds;
  #bytes = 0;

  constructor(clock: Clock, intervalMs: number, bounds: Bounds = standardBounds) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#bounds = bounds;
  }

  /** The reply kept under `key`, or a new one. Askers who come while it is being made share it; a fault is not kept. */
  async reply(key: string, make: () => Promise<string>): Promise<KeptReply> {
    const kept = this.#entries.get(key);
    const ageMs = kept ? this.#clock.now() - kept.at : 0;
    // A clock that went back would keep the reply for longer than the interval: such a reply has run out.
    if (kept && ageMs >= 0 && ageMs < this.#intervalMs) return { body: await kept.body, ageMs };
    const entry = { at: this.#clock.now(), body: make(), bytes: 0 };
    this.#keep(key, entry);
    return { body: await this.#settled(key, entry), ageMs: null };
  }

  #keep(key: string, entry: Entry): void {
    this.#drop(key);
    if (this.#intervalMs === 0) return;
    this.#entries.set(key, entry);
    this.#makeRoom();
  }

  async #settled(key: string, entry: Entry): Promise<string> {
    try {
      const body = await entry.body;
      if (this.#entries.get(key) === entry) {
        entry.bytes = Buffer.byteLength(body);
        this.#bytes += entry.bytes;
        this.#makeRoom();
      }
      return body;
    } catch (fault) {
      if (this.#entries.get(key) === entry) this.#drop(key);
      throw fault;
    }
  }

  #makeRoom(): void {
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= this.#bounds.replies && this.#bytes <= this.#bounds.bytes) return;
      this.#drop(key);
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}

/** With `app` every question of an app shares one reply, as the vendor's page says; else only equal ones do. */
export function cacheKeyOf(kind: CacheKey, appid: string, fields: Fields): string {
  if (kind === 'app') return appid;
  const asked = Object.keys(logParameters.shape).map((name) => lastValue(fields, name)?.trim() ?? '');
  return `${appid} ${createHash('sha256').update(JSON.stringify(asked)).digest('hex')}`;
}
