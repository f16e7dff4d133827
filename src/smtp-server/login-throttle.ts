/**
 * How long AUTH is refused to an address that failed to log in too often. The memory of failures fades, is bounded, and
 * is not kept on disk. An IPv6 client may have a whole /64 for itself, so that is what counts.
 *
 * A login that succeeds wipes the failures away, unless the address is refused at that time: behind one address many
 * clients may stand, of which one has an old password.
 */
import type { EpochMs } from '../base/clock.ts';
import { groupsOf } from '../base/network.ts';

export interface LoginThrottleBounds {
  maxFailures: number;
  maxAddresses: number;
  /** Of the first refusal; each further failure doubles it. */
  blockMs: number;
  longestBlockMs: number;
  memoryMs: number;
}

interface Failures {
  count: number;
  lastAt: EpochMs;
  blockedUntil: EpochMs;
}

export class LoginThrottle {
  readonly #bounds: LoginThrottleBounds;
  /** The one that failed longest ago stands first. */
  readonly #failures = new Map<string, Failures>();

  constructor(bounds: LoginThrottleBounds) {
    this.#bounds = bounds;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#failures.size;
  }

  isBlocked(address: string, now: EpochMs): boolean {
    return (this.#failures.get(keyOf(address))?.blockedUntil ?? 0) > now;
  }

  failed(address: string, now: EpochMs): void {
    const key = keyOf(address);
    const before = this.#failures.get(key);
    const isFresh = before !== undefined && before.lastAt + this.#bounds.memoryMs > now;
    const count = isFresh ? before.count + 1 : 1;
    this.#failures.delete(key);
    this.#failures.set(key, { count, lastAt: now, blockedUntil: now + this.#blockMsAfter(count) });
    if (this.#failures.size > this.#bounds.maxAddresses) this.#forgetOldest();
  }

  succeeded(address: string, now: EpochMs): void {
    if (!this.isBlocked(address, now)) this.#failures.delete(keyOf(address));
  }

  #blockMsAfter(count: number): number {
    const { maxFailures, blockMs, longestBlockMs } = this.#bounds;
    return count < maxFailures ? 0 : Math.min(blockMs * 2 ** (count - maxFailures), longestBlockMs);
  }

  #forgetOldest(): void {
    const [oldest] = this.#failures.keys();
    if (oldest !== undefined) this.#failures.delete(oldest);
  }
}

function keyOf(address: string): string {
  return address.includes(':') ? groupsOf(plainIpv6(address)).slice(0, 4).join(':') : address;
}

/** Without the zone of a link-local address. */
function plainIpv6(address: string): string {
  return address.split('%', 1)[0] ?? address;
}
