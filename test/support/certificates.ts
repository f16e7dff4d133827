/** Certificates for tests: authorities, what they sign, and what the DNS says of them. */
import { createHash, X509Certificate } from 'node:crypto';
import { generate } from 'selfsigned';
import type { Identity } from './script-server.ts';

export interface CertificateWish {
  /** DNS names in the certificate; the first is its common name as well. */
  names: readonly string[];
  /** Who signs; itself if not given. */
  by?: Identity;
  authority?: boolean;
  notBefore?: Date;
  notAfter?: Date;
  /** Extended key usage: a client instead of a server. */
  forClients?: boolean;
}

export async function makeCertificate(wish: CertificateWish): Promise<Identity> {
  const { names, by, authority = false, notBefore, notAfter, forClients = false } = wish;
  const pems = await generate([{ name: 'commonName', value: names[0] ?? 'nobody' }], {
    ...{ algorithm: 'sha256', keyType: 'ec' },
    ...(by ? { ca: by } : {}),
    ...(notBefore ? { notBeforeDate: notBefore } : {}),
    ...(notAfter ? { notAfterDate: notAfter } : {}),
    extensions: [
      { name: 'basicConstraints', cA: authority, critical: true },
      authority
        ? { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true }
        : { name: 'extKeyUsage', serverAuth: !forClients, clientAuth: forClients },
      { name: 'subjectAltName', altNames: names.map((value) => ({ type: 2, value })) },
    ],
  });
  return { key: pems.private, cert: pems.cert };
}

export type TlsaData = readonly [usage: number, selector: number, matchingType: number, data: Buffer];

/** The record that speaks of this certificate (RFC 6698 §2.1). */
export function tlsaOf(pem: string, usage: number, selector: number, matchingType: number): TlsaData {
  const certificate = new X509Certificate(pem);
  const whole =
    selector === 0 ? certificate.raw : certificate.publicKey.export({ type: 'spki', format: 'der' });
  const digest = { 0: null, 1: 'sha256', 2: 'sha512' }[matchingType];
  const data = digest ? createHash(digest).update(whole).digest() : whole;
  return [usage, selector, matchingType, data];
}
