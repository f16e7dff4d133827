/** Times as text, in the forms that protocols share. */
import type { EpochMs } from './clock.ts';

/** RFC 5322 §3.3, in UTC: `Sun, 22 Nov 2026 10:00:00 +0000`. */
export function rfc5322Date(at: EpochMs): string {
  return new Date(at).toUTCString().replace('GMT', '+0000');
}

/** `2026-11-22T10:00:00.000Z`. */
export function isoTime(at: EpochMs): string {
  return new Date(at).toISOString();
}

/** For libraries that want a `Date`. */
export function dateOf(at: EpochMs): Date {
  return new Date(at);
}
