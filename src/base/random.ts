/** The only door to randomness. */
import { randomBytes, randomInt } from 'node:crypto';

/** A fraction in [0, 1), for jitter and shuffles; not for secrets. */
export type Random = () => number;

export const systemRandom: Random = Math.random;

/** A secret of 160 bits in 32 letters and digits: nothing that a shell, a URL or an XML file would quote. */
export function randomSecret(): string {
  const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789';
  return Array.from(randomBytes(32), (byte) => alphabet[byte % alphabet.length]).join('');
}

export function randomHex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}

/** A whole number in [from, to). */
export function randomInteger(from: number, to: number): number {
  return randomInt(from, to);
}
