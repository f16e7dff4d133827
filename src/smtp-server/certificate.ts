/**
 * The certificate we show: the operator's own, or one for those who have none, made once, kept in a folder and
 * used again at the next start. A self-made one proves nothing about who we are; it lets clients encrypt,
 * which is what opportunistic TLS asks for (RFC 7435).
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import type { Clock, EpochMs } from '../base/clock.ts';
import { dateOf } from '../base/time-text.ts';

export interface Certificate {
  /** PEM. */
  key: string;
  cert: string;
}

export interface TlsFiles {
  /** Folder of the self-made certificate. */
  directory: string;
  /** PEM file with the certificate chain; null, like `key`: a self-made one. */
  certificate: string | null;
  key: string | null;
}

/** Key and certificate in one file, so that the two can never be of different age. */
const fileName = 'self-made.pem';
const pemBlock = /-----BEGIN ([A-Z ]+)-----[\s\S]+?-----END \1-----/g;
const lifetimeYears = 10;
const renewBeforeEndYears = 1;
/** RFC 5280, ub-common-name. */
const commonNameChars = 64;

/** Rejects if a file cannot be read, or only one of the two is named. */
export async function loadCertificate(files: TlsFiles, hostname: string, clock: Clock): Promise<Certificate> {
  const { directory, certificate, key } = files;
  if (certificate === null && key === null) return loadOrMakeCertificate(directory, hostname, clock);
  if (certificate === null || key === null) throw new TypeError('certificate and key are named together');
  return { cert: await readFile(certificate, 'utf8'), key: await readFile(key, 'utf8') };
}

/** Reads the certificate in `directory`, or makes one if there is none for this name that lasts a while yet. */
async function loadOrMakeCertificate(
  directory: string,
  hostname: string,
  clock: Clock,
): Promise<Certificate> {
  const file = join(directory, fileName);
  const kept = parse(await readIfThere(file));
  if (kept !== null && isUsable(kept, hostname, clock)) return kept;
  const now = clock.now();
  const made = await make(hostname, now, yearsAfter(now, lifetimeYears));
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, `${made.key}\n${made.cert}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return made;
}

/** No authority, signs handshakes only, serves this one name. */
async function make(hostname: string, from: EpochMs, to: EpochMs): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: hostname.slice(0, commonNameChars) }], {
    keyType: 'rsa',
    keySize: 2048,
    algorithm: 'sha256',
    notBeforeDate: dateOf(from),
    notAfterDate: dateOf(to),
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true, keyEncipherment: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: hostname }] },
    ],
  });
  return { key: made.private.trim(), cert: made.cert.trim() };
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw fault;
  }
}

function parse(pem: string): Certificate | null {
  const blocks = new Map([...pem.matchAll(pemBlock)].map(([block, label]) => [label, block]));
  const key = blocks.get('PRIVATE KEY');
  const cert = blocks.get('CERTIFICATE');
  return key === undefined || cert === undefined ? null : { key, cert };
}

function isUsable({ key, cert }: Certificate, hostname: string, clock: Clock): boolean {
  try {
    const certificate = new X509Certificate(cert);
    const fits =
      certificate.checkPrivateKey(createPrivateKey(key)) && certificate.checkHost(hostname) !== undefined;
    return fits && certificate.validToDate.getTime() > yearsAfter(clock.now(), renewBeforeEndYears);
  } catch {
    return false;
  }
}

function yearsAfter(at: EpochMs, years: number): EpochMs {
  const moment = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO('UTC');
  return moment.add({ years }).epochMilliseconds;
}
