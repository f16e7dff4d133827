/** Answers kept for a while, a bounded number of them. Who asks while the answer is on its way waits for it. */
import type { Clock, EpochMs } from '../base/clock.ts';

interface Entry<T> {
  value: Promise<T>;
  /** Null: on its way. */
  expiresAt: EpochMs | null;
}

export class Cache<T> {
  readonly #clock: Clock;
  readonly #capacity: number;
  /** In the order of asking: the oldest goes first. */
  readonly #entries = new Map<string, Entry<T>>();

  constructor(clock: Clock, capacity: number) {
    this.#clock = clock;
    this.#capacity = capacity;
  }

  get(key: string, ask: () => Promise<{ value: T; keepMs: number }>): Promise<T> {
    const known = this.#entries.get(key);
    if (known !== undefined && (known.expiresAt === null || this.#clock.now() < known.expiresAt)) {
      return known.value;
    }
    return this.#ask(key, ask);
  }

  get size(): number {
    return this.#entries.size;
  }

  #ask(key: string, ask: () => Promise<{ value: T; keepMs: number }>): Promise<T> {
    const asked = ask();
    const entry: Entry<T> = { value: asked.then(({ value }) => value), expiresAt: null };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#dropOldest();
    asked.then(
      ({ keepMs }) => this.#settle(key, entry, keepMs),
      () => this.#settle(key, entry, 0),
    );
    return entry.value;
  }

  #settle(key: string, entry: Entry<T>, keepMs: number): void {
    entry.expiresAt = this.#clock.now() + keepMs;
    if (keepMs <= 0 && this.#entries.get(key) === entry) this.#entries.delete(key);
  }

  #dropOldest(): void {
    if (this.#entries.size <= this.#capacity) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}
