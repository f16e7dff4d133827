/**
 * The installation's key and what is made with it: sealed secrets, hashes of secrets, keyed tags.
 *
 * Most secrets are kept as hashes only. A secret that a protocol needs in the clear (signed requests, DKIM)
 * is sealed with AES-256-GCM, so that a copy of the store alone gives nothing away.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

const keyBytes = 32;
const nonceBytes = 12;
const authTagBytes = 16;

export interface InstallationKey {
  seal(clear: string): Buffer;
  open(sealed: Uint8Array): string;
  /** A keyed tag of at most 32 bytes over `message`, for a named purpose. */
  tag(purpose: string, message: Uint8Array, bytes: number): Buffer;
}

/** Reads the key, or makes it at the first start: one file, readable by its owner only. */
export function loadInstallationKey(path: string): InstallationKey {
  if (!existsSync(path)) createKeyFile(path);
  const root = Buffer.from(readFileSync(path, 'utf8').trim(), 'hex');
  if (root.length !== keyBytes) throw new Error(`${path} does not hold an installation key (64 hex digits)`);
  return installationKey(root);
}

/** Written aside and renamed, so that no reader ever sees half a key; the first of two writers wins. */
function createKeyFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  const file = openSync(temporary, 'wx', 0o600);
  writeSync(file, `${randomBytes(keyBytes).toString('hex')}\n`);
  fsyncSync(file);
  closeSync(file);
  if (!existsSync(path)) renameSync(temporary, path);
  chmodSync(path, 0o600);
}

export function installationKey(root: Buffer): InstallationKey {
  const derive = (purpose: string) =>
    Buffer.from(hkdfSync('sha256', root, '', `waybill ${purpose}`, keyBytes));
  const sealingKey = derive('seal');
  const tagKeys = new Map<string, Buffer>();
  const tagKey = (purpose: string) => {
    let key = tagKeys.get(purpose);
    if (!key) {
      key = derive(`tag ${purpose}`);
      tagKeys.set(purpose, key);
    }
    return key;
  };
  return {
    seal(clear) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', sealingKey, nonce);
      const body = Buffer.concat([cipher.update(clear, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]);
    },
    open(sealed) {
      const bytes = Buffer.from(sealed);
      const decipher = createDecipheriv('aes-256-gcm', sealingKey, bytes.subarray(0, nonceBytes));
      decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + authTagBytes));
      const body = bytes.subarray(nonceBytes + authTagBytes);
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
    },
    tag: (purpose, message, bytes) =>
      createHmac('sha256', tagKey(purpose)).update(message).digest().subarray(0, bytes),
  };
}

/** For secrets we made ourselves (160 random bits): a plain hash cannot be guessed backwards. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}

/** Compares in constant time, whatever the lengths. */
export function sameSecret(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHash('sha256').update(text, 'utf8').digest());
  return left !== undefined && right !== undefined && timingSafeEqual(left, right);
}
