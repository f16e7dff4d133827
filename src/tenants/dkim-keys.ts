/**
 * Keys that sign mail, per sending domain. A key is made `pending`: its record can be published while nothing is
 * signed with it. Rotation makes it `active` and the one of the same algorithm before it `retired`, for good: its
 * private half is erased, and its record stays published until the mail it signed has arrived.
 */
import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { InstallationKey } from '../base/secret.ts';
import { type DkimAlgorithm, dkimAlgorithms } from '../protocol/dkim/record.ts';
import { bytesOrNull, integer, integerOrNull, type Row, type Store, text } from '../store/store.ts';
import type { Named } from './tenants.ts';

export type DkimKeyState = 'pending' | 'active' | 'retired';

/** The public side of a key. */
export interface DkimKey {
  domain: string;
  tenantId: number;
  selector: string;
  algorithm: DkimAlgorithm;
  state: DkimKeyState;
  /** Base64, as the tag `p=` of its record. */
  publicKey: string;
  createdAt: number;
  activatedAt: number | null;
  retiredAt: number | null;
  /** Of a retired key: when its record may leave the DNS; null if nothing was ever signed with it. */
  publishUntil: number | null;
}

export interface DkimKeyPair {
  algorithm: DkimAlgorithm;
  publicKey: string;
  privateKey: KeyObject;
}

export interface SigningKey {
  /** Never used again for another key. */
  id: number;
  selector: string;
  algorithm: DkimAlgorithm;
}

export interface OwnDomain {
  tenantId: number;
  domain: string;
}

export interface DkimKeys {
  /** Adds keys as `pending`, under selectors that it makes. */
  addDkimKeys(own: OwnDomain, pairs: readonly DkimKeyPair[]): Named<DkimKey[]>;
  /** In the order they were made. */
  dkimKeys(own: OwnDomain): DkimKey[];
  /** Makes the pending keys sign, in place of the active ones of the same algorithms. */
  rotateDkimKeys(own: OwnDomain, publishMs: number): Named<{ activated: DkimKey[]; retired: DkimKey[] }>;
  /** All of the selectors or none. */
  retireDkimKeys(
    own: OwnDomain,
    selectors: readonly string[],
    publishMs: number,
  ): Named<{ retired: DkimKey[] }>;
  /** Keys that sign the domain's mail now; at most one of each algorithm. */
  signingKeys(own: OwnDomain): SigningKey[];
  /** Throws if it is not there, or was sealed with another installation's key. */
  openSigningKey(id: number): KeyObject;
}

const rsaBits = 2048;

/** On a thread of its own: an RSA key takes tenths of a second to find. */
export function generateDkimKeyPair(algorithm: DkimAlgorithm): Promise<DkimKeyPair> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, publicKey: KeyObject, privateKey: KeyObject) =>
      error ? reject(error) : resolve({ algorithm, publicKey: publicText(publicKey), privateKey });
    if (algorithm === 'rsa-sha256') generateKeyPair('rsa', { modulusLength: rsaBits }, done);
    else generateKeyPair('ed25519', {}, done);
  });
}

function publicText(key: KeyObject): string {
  if (key.asymmetricKeyType === 'rsa') return key.export({ type: 'spki', format: 'der' }).toString('base64');
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64');
}

const ofDomain = 'SELECT * FROM dkim_keys WHERE tenant_id = ? AND domain = ?';

export function createDkimKeys(store: Store, key: InstallationKey, clock: Clock): DkimKeys {
  const keysOf = ({ tenantId, domain }: OwnDomain) =>
    store.all(`${ofDomain} ORDER BY id`, tenantId, domain).map(dkimKeyOf);

  const insert = (own: OwnDomain, { algorithm, publicKey, privateKey }: DkimKeyPair, selector: string) => {
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    store.run(
      `INSERT INTO dkim_keys (tenant_id, domain, selector, algorithm, state, public_key, sealed_private_key, created_at)
       VALUES (?, ?, ?, ?, 'pending', ?, ?, ?)`,
      ...[own.tenantId, own.domain, selector, algorithm, publicKey, key.seal(pem), clock.now()],
    );
  };

  const retire = (one: DkimKey, publishMs: number) => {
    const now = clock.now();
    store.run(
      `UPDATE dkim_keys SET state = 'retired', sealed_private_key = NULL, retired_at = ?, publish_until = ?
       WHERE domain = ? AND selector = ?`,
      ...[now, one.state === 'active' ? now + publishMs : null, one.domain, one.selector],
    );
  };

  /** After a change: these keys as they are now. */
  const again = (own: OwnDomain, changed: readonly DkimKey[]) =>
    keysOf(own).filter(({ selector }) => changed.some((one) => one.selector === selector));

  return {
    addDkimKeys: (own, pairs) =>
      store.transaction(() => {
        forgetLongRetired(store, own, clock.now());
        const waiting = keysOf(own).find(
          ({ state, algorithm }) => state === 'pending' && pairs.some((pair) => pair.algorithm === algorithm),
        );
        if (waiting) return refused(`key ${waiting.selector} of ${own.domain} is pending already`);
        const selectors = freeSelectors(store, own.domain, clock.now());
        if (selectors.length < pairs.length) {
          return refused(`${own.domain} has had ${limits.dkimKeysPerMonth} keys this month`);
        }
        const named = pairs.map((pair, index) => ({ pair, selector: selectors[index] ?? '' }));
        for (const { pair, selector } of named) insert(own, pair, selector);
        const made = new Set(named.map(({ selector }) => selector));
        return { ok: true, value: keysOf(own).filter(({ selector }) => made.has(selector)) };
      }),
    dkimKeys: keysOf,
    rotateDkimKeys: (own, publishMs) =>
      store.transaction(() => {
        const keys = keysOf(own);
        const pending = keys.filter(({ state }) => state === 'pending');
        if (pending.length === 0) return refused(`${own.domain} has no pending key`);
        const replaced = keys.filter(
          ({ state, algorithm }) =>
            state === 'active' && pending.some((next) => next.algorithm === algorithm),
        );
        for (const one of replaced) retire(one, publishMs);
        for (const { domain, selector } of pending) {
          store.run(
            "UPDATE dkim_keys SET state = 'active', activated_at = ? WHERE domain = ? AND selector = ?",
            ...[clock.now(), domain, selector],
          );
        }
        return { ok: true, value: { activated: again(own, pending), retired: again(own, replaced) } };
      }),
    retireDkimKeys: (own, selectors, publishMs) =>
      store.transaction(() => {
        const inUse = keysOf(own).filter(({ state }) => state !== 'retired');
        const unknown = selectors.find((wanted) => !inUse.some(({ selector }) => selector === wanted));
        if (unknown !== undefined) return refused(`${own.domain} has no key ${unknown} in use`);
        const leaving = inUse.filter(({ selector }) => selectors.includes(selector));
        for (const one of leaving) retire(one, publishMs);
        return { ok: true, value: { retired: again(own, leaving) } };
      }),
    signingKeys: ({ tenantId, domain }) =>
      store.all(activeKeys, tenantId, domain).map((row) => ({
        id: integer(row, 'id'),
        selector: text(row, 'selector'),
        algorithm: algorithmOf(row),
      })),
    openSigningKey(id) {
      const row = store.get('SELECT sealed_private_key FROM dkim_keys WHERE id = ?', id);
      const sealed = row && bytesOrNull(row, 'sealed_private_key');
      if (!sealed) throw new Error(`there is no private key ${id}`);
      return createPrivateKey(key.open(sealed));
    },
  };
}

/** Answered from an index, for every mail: so a change by another process holds from the next mail on. */
const activeKeys = `SELECT id, selector, algorithm FROM dkim_keys
  WHERE tenant_id = ? AND domain = ? AND state = 'active' ORDER BY algorithm`;

function forgetLongRetired(store: Store, { tenantId, domain }: OwnDomain, now: number): void {
  store.run(
    "DELETE FROM dkim_keys WHERE tenant_id = ? AND domain = ? AND state = 'retired' AND retired_at < ?",
    ...[tenantId, domain, now - limits.dkimRetiredKeptMs],
  );
}

/** `wb202611a`: the month it was made in, and a letter. Several tenants can have a reserved name: they share its letters. */
function freeSelectors(store: Store, domain: string, now: number): string[] {
  const { year, month } = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO('UTC');
  const prefix = `wb${year}${String(month).padStart(2, '0')}`;
  const taken = store
    .all('SELECT selector FROM dkim_keys WHERE domain = ?', domain)
    .map((row) => text(row, 'selector'));
  const all = Array.from({ length: limits.dkimKeysPerMonth }, (_, n) => `${prefix}${(10 + n).toString(36)}`);
  return all.filter((selector) => !taken.includes(selector));
}

function dkimKeyOf(row: Row): DkimKey {
  return {
    domain: text(row, 'domain'),
    tenantId: integer(row, 'tenant_id'),
    selector: text(row, 'selector'),
    algorithm: algorithmOf(row),
    state: states.find((state) => state === row['state']) ?? 'retired',
    publicKey: text(row, 'public_key'),
    createdAt: integer(row, 'created_at'),
    activatedAt: integerOrNull(row, 'activated_at'),
    retiredAt: integerOrNull(row, 'retired_at'),
    publishUntil: integerOrNull(row, 'publish_until'),
  };
}

const states: readonly DkimKeyState[] = ['pending', 'active', 'retired'];

function algorithmOf(row: Row): DkimAlgorithm {
  const found = dkimAlgorithms.find((algorithm) => algorithm === row['algorithm']);
  if (!found) throw new Error('column algorithm holds no DKIM algorithm');
  return found;
}

function refused(problem: string): { ok: false; problem: string } {
  return { ok: false, problem };
}
