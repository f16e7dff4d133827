/**
 * Whether the certificate of a server is the one its TLSA records speak of (RFC 7672 §3, RFC 7671). Pure.
 *
 * Usage 3 names the server's own certificate or key: neither its dates nor its names count. Usage 2 names an authority
 * above it: then the path to it must be whole, the dates good, and the certificate for one of the names. Usages 0 and 1
 * are not for SMTP (§3.1.3). Path length and name constraints of an authority the domain itself chose are not looked at.
 */
import { createHash, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { EpochMs } from '../base/clock.ts';
import { limits } from '../base/limits.ts';

/** RFC 6698 §2.1. */
export interface TlsaRecord {
  usage: number;
  selector: number;
  matchingType: number;
  data: Buffer;
}

export interface DaneCheck {
  records: readonly TlsaRecord[];
  /** The name for SNI (RFC 7672 §3). */
  baseDomain: string;
  /** Names a certificate under an authority may be for. */
  names: readonly string[];
}

const trustAnchor = 2;
const endEntity = 3;

/** The records that say something a client of SMTP can check. */
export function usableTlsa(records: readonly TlsaRecord[]): TlsaRecord[] {
  return records.filter(
    (record) =>
      (record.usage === trustAnchor || record.usage === endEntity) &&
      (record.selector === 0 || record.selector === 1) &&
      hasSoundData(record),
  );
}

const digests: ReadonlyMap<number, { name: string; bytes: number }> = new Map([
  [1, { name: 'sha256', bytes: 32 }],
  [2, { name: 'sha512', bytes: 64 }],
]);

function hasSoundData({ selector, matchingType, data }: TlsaRecord): boolean {
  if (matchingType !== 0) return digests.get(matchingType)?.bytes === data.length;
  return (selector === 0 ? certificateOf(data) : keyOf(data)) !== null;
}

/** '' if the certificate is the right one, else why not. `certificates` as the server sent them, its own first. */
export function daneProblem(
  certificates: readonly X509Certificate[],
  { records, names }: DaneCheck,
  now: EpochMs,
): string {
  const usable = strongest(usableTlsa(records));
  const [leaf] = certificates;
  if (leaf === undefined) return 'the server sent no certificate';
  if (usable.some((record) => record.usage === endEntity && matches(record, leaf))) return '';
  const anchors = usable.filter(({ usage }) => usage === trustAnchor);
  const path = anchors.length === 0 ? null : pathToAnchor([leaf], certificates, anchors);
  if (path === null) return 'no TLSA record matches the certificate of the server';
  return pathProblem(path, names, now);
}

/** RFC 7671 §9: where there are several digests of one thing, the weaker ones do not count. */
function strongest(records: readonly TlsaRecord[]): TlsaRecord[] {
  return records.filter(
    (record) =>
      record.matchingType !== 1 ||
      !records.some(
        ({ usage, selector, matchingType }) =>
          matchingType === 2 && usage === record.usage && selector === record.selector,
      ),
  );
}

function matches({ selector, matchingType, data }: TlsaRecord, certificate: X509Certificate): boolean {
  const whole = selector === 0 ? certificate.raw : keyBytes(certificate);
  if (whole === null) return false;
  const digest = digests.get(matchingType);
  return data.equals(digest === undefined ? whole : createHash(digest.name).update(whole).digest());
}

/** From the server's certificate up to one that a record speaks of. */
function pathToAnchor(
  path: readonly X509Certificate[],
  certificates: readonly X509Certificate[],
  anchors: readonly TlsaRecord[],
): X509Certificate[] | null {
  const top = path.at(-1);
  if (top === undefined || path.length > limits.certificatePath) return null;
  const isAnchor = (certificate: X509Certificate) => anchors.some((record) => matches(record, certificate));
  if (isAnchor(top) && (path.length > 1 || isIssuer(top, top))) return [...path];
  if (anchors.some((record) => isSignedByRecord(top, record))) return [...path];
  const given = anchors.flatMap((record) => wholeCertificate(record) ?? []);
  const above = [...certificates.slice(0, limits.certificatePath), ...given].find(
    (candidate) => !path.some(({ raw }) => raw.equals(candidate.raw)) && isIssuer(candidate, top),
  );
  return above === undefined ? null : pathToAnchor([...path, above], certificates, anchors);
}

function isIssuer(issuer: X509Certificate, issued: X509Certificate): boolean {
  try {
    return issued.checkIssued(issuer) && issued.verify(issuer.publicKey);
  } catch {
    // A key of a kind we do not know signs nothing.
    return false;
  }
}

/** A record may hold an authority's whole certificate, which the server then need not send. */
function wholeCertificate({ selector, matchingType, data }: TlsaRecord): X509Certificate | null {
  return selector === 0 && matchingType === 0 ? certificateOf(data) : null;
}

/** Or its whole key, without a certificate (RFC 7671 §5.2.3). */
function isSignedByRecord(certificate: X509Certificate, record: TlsaRecord): boolean {
  const key = record.selector === 1 && record.matchingType === 0 ? keyOf(record.data) : null;
  try {
    return key !== null && certificate.verify(key);
  } catch {
    return false;
  }
}

const serverAuthentication = '1.3.6.1.5.5.7.3.1';

function pathProblem(path: readonly X509Certificate[], names: readonly string[], now: EpochMs): string {
  const [leaf, ...authorities] = path;
  if (leaf === undefined) return 'the server sent no certificate';
  const outdated = path.find(
    ({ validFromDate, validToDate }) => now < validFromDate.getTime() || now > validToDate.getTime(),
  );
  if (outdated !== undefined) return `a certificate is outside its dates: valid to ${outdated.validTo}`;
  if (!authorities.every(({ ca }) => ca)) return 'a certificate above that of the server is no authority';
  const uses = leaf.keyUsage;
  if (uses !== undefined && !uses.includes(serverAuthentication)) return 'the certificate is not for servers';
  const isNamed = names.some((name) => leaf.checkHost(name, { partialWildcards: false }) !== undefined);
  return isNamed ? '' : `the certificate is for another name than ${names.join(', ')}`;
}

function keyBytes(certificate: X509Certificate): Buffer | null {
  try {
    return certificate.publicKey.export({ type: 'spki', format: 'der' });
  } catch {
    return null;
  }
}

function certificateOf(bytes: Buffer): X509Certificate | null {
  try {
    return new X509Certificate(bytes);
  } catch {
    return null;
  }
}

function keyOf(bytes: Buffer): KeyObject | null {
  try {
    return createPublicKey({ key: bytes, type: 'spki', format: 'der' });
  } catch {
    return null;
  }
}
