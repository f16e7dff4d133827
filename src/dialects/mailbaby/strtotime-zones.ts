/** Names of zones as people write them behind a time. */

/** Hours east of UTC. Where a name means several zones, what PHP takes it for. */
const abbreviations: Readonly<Record<string, number>> = {
  utc: 0,
  gmt: 0,
  wet: 0,
  west: 1,
  bst: 1,
  ist: 2,
  cet: 1,
  cest: 2,
  met: 1,
  mest: 2,
  wat: 1,
  cat: 2,
  sast: 2,
  eet: 2,
  eest: 3,
  eat: 3,
  msk: 3,
  pkt: 5,
  wib: 7,
  awst: 8,
  hkt: 8,
  jst: 9,
  acst: 9.5,
  acdt: 10.5,
  aest: 10,
  aedt: 11,
  nzst: 12,
  nzdt: 13,
  nst: -3.5,
  ast: -4,
  adt: -3,
  est: -5,
  edt: -4,
  cst: -6,
  cdt: -5,
  mst: -7,
  mdt: -6,
  pst: -8,
  pdt: -7,
  akst: -9,
  akdt: -8,
  hst: -10,
};

/** Military letters: A to M go east without J, N to Y west, Z is UTC. */
const letters = 'yxwvutsrqponzabcdefghiklm';

/** Seconds east of UTC, or an IANA name in its usual case; null when nobody knows the name. */
export function zoneOfName(name: string): number | string | null {
  const lower = name.toLowerCase();
  if (lower.length === 1 && letters.includes(lower)) return (letters.indexOf(lower) - 12) * 3600;
  if (Object.hasOwn(abbreviations, lower)) return (abbreviations[lower] ?? 0) * 3600;
  return /^[A-Z][a-z]/.test(name) && isZone(name) ? name : null;
}

/** True for an IANA name that this runtime knows. */
export function isZone(name: string): boolean {
  if (!/^[a-z]/i.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
