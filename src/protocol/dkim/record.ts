/** The DNS record that carries a public key (RFC 6376 §3.6.1, RFC 8463 §4). Pure. */

/** Values of the tag `a=` that we sign with; RFC 8301 leaves no other RSA one. */
export const dkimAlgorithms = ['ed25519-sha256', 'rsa-sha256'] as const;

export type DkimAlgorithm = (typeof dkimAlgorithms)[number];

export interface DkimRecord {
  /** Without the dot at its end. */
  name: string;
  text: string;
}

/** `publicKey` in base64, as the tag `p=` wants it: SubjectPublicKeyInfo for RSA, the bare 32 bytes for Ed25519. */
export function dkimRecord(key: {
  domain: string;
  selector: string;
  algorithm: DkimAlgorithm;
  publicKey: string;
}): DkimRecord {
  const type = key.algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519';
  return {
    name: `${key.selector}._domainkey.${key.domain}`,
    text: `v=DKIM1; k=${type}; p=${key.publicKey}`,
  };
}

/** A character string of a TXT record holds 255 bytes (RFC 1035 §3.3); readers put them together without a space. */
const stringBytes = 255;

/** The record as a line of a zone file. */
export function zoneLine({ name, text }: DkimRecord): string {
  const strings = text.match(new RegExp(`.{1,${stringBytes}}`, 'g')) ?? [];
  return `${name}. IN TXT ${strings.map((part) => `"${part}"`).join(' ')}`;
}
