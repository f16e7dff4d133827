/**
 * What a test may count on in the machine it runs on: other programs that speak SMTP ("peers"). At a
 * developer's desk a test whose peer is missing is left out and says so; in CI (`CI=true`) it fails.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Peer {
  command: string;
  /** Debian package that brings it. */
  debianPackage: string;
}

export const peers = {
  swaks: { command: 'swaks', debianPackage: 'swaks' },
  postfix: { command: 'postfix', debianPackage: 'postfix' },
  'smtp-source': { command: 'smtp-source', debianPackage: 'postfix' },
  'smtp-sink': { command: 'smtp-sink', debianPackage: 'postfix' },
  curl: { command: 'curl', debianPackage: 'curl' },
} as const satisfies Record<string, Peer>;

export type PeerName = keyof typeof peers;

export const peerNames = Object.keys(peers) as PeerName[];

/** Mail servers put their tools where the PATH of an ordinary user does not reach. */
const systemFolders = ['/usr/sbin', '/usr/local/sbin', '/usr/lib/postfix/sbin'];

export function inCi(): boolean {
  return process.env.CI === 'true' || process.env.CI === '1';
}

/** Absolute path of a peer's program; null if it is not installed. */
export function findPeer(name: PeerName): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...systemFolders];
  const files = folders.map((folder) => join(folder, peers[name].command));
  return files.find(isExecutable) ?? null;
}

/** Absolute path of a peer's program, for a test that `skipWithout` let run. */
export function peerCommand(name: PeerName): string {
  const file = findPeer(name);
  if (file === null) throw new Error(missingText([name]));
  return file;
}

/**
 * The `skip` option of a test that needs these peers: `test('…', { skip: skipWithout('swaks') }, …)`.
 * False when all are there, and always in CI, where the test then runs and fails.
 */
export function skipWithout(...names: PeerName[]): string | false {
  const missing = names.filter((name) => findPeer(name) === null);
  return missing.length === 0 || inCi() ? false : missingText(missing);
}

function missingText(names: readonly PeerName[]): string {
  const packages = new Set(names.map((name) => peers[name].debianPackage));
  return `not installed: ${names.join(', ')} (Debian package ${[...packages].join(', ')})`;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
