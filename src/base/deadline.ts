/**
 * An alarm for one wait at a time: set before the wait, cleared after it. Unlike `Clock.sleep` it needs no
 * promise and no abort signal, so that a conversation may set thousands of them a second.
 */
export class Deadline {
  readonly #onExpired: (timeoutMs: number) => void;
  #timer: NodeJS.Timeout | null = null;

  constructor(onExpired: (timeoutMs: number) => void) {
    this.#onExpired = onExpired;
  }

  /** Replaces the alarm that is set, if any. */
  set(timeoutMs: number): void {
    this.clear();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#onExpired(timeoutMs);
    }, timeoutMs);
  }

  clear(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
  }
}
