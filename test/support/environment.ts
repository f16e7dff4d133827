/**
 * What a test may count on in the machine it runs on.
 *
 * Peers, other programs that speak SMTP: at a developer's desk a test whose peer is missing is left out and
 * says so; in CI (`CI=true`) it fails. Test data, real messages and recordings under licences of their own,
 * are no part of the repository: a test of theirs is left out wherever they are missing.
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Peer {
  command: string;
  /** Debian package that brings it. */
  debianPackage: string;
  /** What fetches it where it cannot be installed beside the others. */
  unpackedBy?: string;
}

export const peers = {
  swaks: { command: 'swaks', debianPackage: 'swaks' },
  postfix: { command: 'postfix', debianPackage: 'postfix' },
  'smtp-source': { command: 'smtp-source', debianPackage: 'postfix' },
  'smtp-sink': { command: 'smtp-sink', debianPackage: 'postfix' },
  dkimverify: { command: 'dkimverify', debianPackage: 'python3-dkim' },
  curl: { command: 'curl', debianPackage: 'curl' },
  python3: { command: 'python3', debianPackage: 'python3' },
  exim4: { command: 'exim4', debianPackage: 'exim4-daemon-light', unpackedBy: 'scripts/unpack-exim.sh' },
} as const satisfies Record<string, Peer>;

export type PeerName = keyof typeof peers;

export const peerNames = Object.keys(peers) as PeerName[];

/** Mail servers put their tools where the PATH of an ordinary user does not reach. */
const systemFolders = ['/usr/sbin', '/usr/local/sbin', '/usr/lib/postfix/sbin'];

/** Where `scripts/unpack-exim.sh` leaves what cannot be installed beside the others. */
const unpackedFolder = '/var/cache/waybill-peers/usr/sbin';

export function inCi(): boolean {
  return process.env.CI === 'true' || process.env.CI === '1';
}

/** Absolute path of a peer's program; null if it is not installed. */
export function findPeer(name: PeerName): string | null {
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter).filter(Boolean),
    ...systemFolders,
    unpackedFolder,
  ];
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
  const packages = new Set(names.map((name) => packageOf(peers[name])));
  return `not installed: ${names.join(', ')} (Debian package ${[...packages].join(', ')})`;
}

function packageOf({ debianPackage, unpackedBy }: Peer): string {
  return unpackedBy === undefined ? debianPackage : `${debianPackage}, unpacked by ${unpackedBy}`;
}

/** Debian packages to install, so that no peer is missing but those that are unpacked. */
export function missingPackages(): string[] {
  const missing = peerNames.filter((name) => findPeer(name) === null && !('unpackedBy' in peers[name]));
  return [...new Set(missing.map((name) => peers[name].debianPackage))];
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Beside the checkout, or where the variable `TESTDATA` says. */
const testdataRoot =
  process.env.TESTDATA ?? join(import.meta.dirname, '..', '..', '..', 'shared', 'testdata');

/** Absolute path of a set of test data; for a test that `skipWithoutTestdata` let run. */
export function testdataFolder(name: string): string {
  return join(testdataRoot, name);
}

/** The `skip` option of a test that reads this set of test data. */
export function skipWithoutTestdata(name: string): string | false {
  return existsSync(testdataFolder(name)) ? false : `no test data: ${testdataFolder(name)}`;
}
