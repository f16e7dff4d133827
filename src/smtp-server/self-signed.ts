/**
 * A self-signed certificate for one host name (X.509 v3, RFC 5280; ECDSA on P-256 with SHA-256, RFC 5480).
 * Its few fields are written in DER (X.690) here; keys and signature come from `node:crypto`.
 */
import { generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto';
import type { EpochMs } from '../base/clock.ts';
import { randomHex } from '../base/random.ts';

const sequenceTag = 0x30;
const setTag = 0x31;
const integerTag = 0x02;
const bitStringTag = 0x03;
const octetStringTag = 0x04;
const oidTag = 0x06;
const utf8StringTag = 0x0c;
const utcTimeTag = 0x17;
const generalizedTimeTag = 0x18;
const booleanTrue = Buffer.from('0101ff', 'hex');

const oids = {
  ecdsaWithSha256: '2a8648ce3d040302',
  commonName: '550403',
  keyUsage: '551d0f',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
  extendedKeyUsage: '551d25',
  serverAuth: '2b06010505070301',
} as const;

/** RFC 5280, ub-common-name. */
const commonNameChars = 64;

export interface SelfSigned {
  /** PEM, PKCS #8. */
  key: string;
  /** PEM. */
  cert: string;
}

export function makeSelfSigned(hostname: string, from: EpochMs, to: EpochMs): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const body = toBeSigned(hostname, publicKey, validity(from, to));
  const signature = tlv(bitStringTag, Buffer.of(0), sign('sha256', body, privateKey));
  const der = tlv(sequenceTag, body, algorithm(), signature);
  const cert = new X509Certificate(der).toString().trim();
  return { key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })).trim(), cert };
}

function toBeSigned(hostname: string, publicKey: KeyObject, lifetime: Buffer): Buffer {
  const version3 = tlv(0xa0, tlv(integerTag, Buffer.of(2)));
  const serial = tlv(integerTag, Buffer.from(`4${randomHex(16).slice(1)}`, 'hex'));
  const commonName = tlv(utf8StringTag, Buffer.from(hostname.slice(0, commonNameChars)));
  const name = tlv(sequenceTag, tlv(setTag, tlv(sequenceTag, oid('commonName'), commonName)));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const extensions = tlv(0xa3, tlv(sequenceTag, ...extensionsFor(hostname)));
  return tlv(sequenceTag, version3, serial, algorithm(), name, lifetime, name, spki, extensions);
}

/** No authority, signs handshakes only, serves this one name. */
function extensionsFor(hostname: string): Buffer[] {
  const digitalSignature = tlv(bitStringTag, Buffer.of(7, 0x80));
  const dnsName = tlv(0x82, Buffer.from(hostname));
  return [
    extension('basicConstraints', tlv(sequenceTag), true),
    extension('keyUsage', digitalSignature, true),
    extension('extendedKeyUsage', tlv(sequenceTag, oid('serverAuth')), false),
    extension('subjectAltName', tlv(sequenceTag, dnsName), false),
  ];
}

function extension(name: keyof typeof oids, value: Buffer, critical: boolean): Buffer {
  return tlv(sequenceTag, oid(name), ...(critical ? [booleanTrue] : []), tlv(octetStringTag, value));
}

function algorithm(): Buffer {
  return tlv(sequenceTag, oid('ecdsaWithSha256'));
}

function oid(name: keyof typeof oids): Buffer {
  return tlv(oidTag, Buffer.from(oids[name], 'hex'));
}

function validity(from: EpochMs, to: EpochMs): Buffer {
  return tlv(sequenceTag, time(from), time(to));
}

/** RFC 5280 §4.1.2.5: two-digit years up to 2049. */
function time(at: EpochMs): Buffer {
  const text = `${Temporal.Instant.fromEpochMilliseconds(at).toString({ smallestUnit: 'second' }).replace(/\D/g, '')}Z`;
  const short = text < '2050';
  return tlv(short ? utcTimeTag : generalizedTimeTag, Buffer.from(short ? text.slice(2) : text));
}

/** Tag, length, value. */
function tlv(tag: number, ...values: Buffer[]): Buffer {
  const value = Buffer.concat(values);
  return Buffer.concat([Buffer.of(tag), lengthOf(value.length), value]);
}

function lengthOf(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.of(bytes);
  return bytes < 0x100 ? Buffer.of(0x81, bytes) : Buffer.of(0x82, bytes >> 8, bytes & 0xff);
}
