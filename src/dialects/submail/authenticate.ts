/**
 * Who asks: `appid` names a stream of a tenant, `signature` proves it. Three ways (`sign_type`):
 *
 * - `normal`: the app key in the clear; `timestamp` is ignored.
 * - `md5`, `sha1`: lower-case hex digest of `appid + appkey + joined + appid + appkey`, where `joined` is every
 *   parameter sent but `signature` (and `attachments`, which are not text), sorted by name, as
 *   `name=value&name=value`, raw; of one sent twice, the last. `timestamp` must be among them, at most 6 seconds away from our clock.
 */
import { createHash } from 'node:crypto';
import type { EpochMs } from '../../base/clock.ts';
import { sameSecret } from '../../base/secret.ts';
import { type Fields, lastValue } from '../../http/query.ts';
import type { Tenants } from '../../tenants/tenants.ts';
import type { ErrorCode } from './errors.ts';

export const maxTimestampAgeSeconds = 6;

export type Authentication = { ok: true; appid: string; tenantId: number } | { ok: false; code: ErrorCode };

export function authenticate(fields: Fields, tenants: Tenants, now: EpochMs): Authentication {
  const appid = lastValue(fields, 'appid') ?? '';
  const credential = appid === '' ? null : tenants.credentialByIdentifier('submail', appid);
  if (!credential) return { ok: false, code: 101 };
  const problem = checkSignature(fields, credential.secret ?? '', now);
  if (problem) return { ok: false, code: problem };
  // Only the owner of the key learns that the app is disabled.
  const stream = credential.streamId === null ? null : tenants.stream(credential.streamId);
  if (stream?.state === 'suspended') return { ok: false, code: 102 };
  return { ok: true, appid, tenantId: credential.tenantId };
}

function checkSignature(fields: Fields, appkey: string, now: EpochMs): ErrorCode | null {
  const signType = lastValue(fields, 'sign_type') || 'normal';
  const signature = lastValue(fields, 'signature') ?? '';
  if (signType !== 'normal' && signType !== 'md5' && signType !== 'sha1') return 107;
  if (signature === '') return 111;
  if (signType === 'normal') return appkey !== '' && sameSecret(signature, appkey) ? null : 109;
  const timestamp = lastValue(fields, 'timestamp') ?? '';
  if (!/^\d{1,12}$/.test(timestamp)) return 151;
  if (Math.abs(Math.floor(now / 1000) - Number(timestamp)) > maxTimestampAgeSeconds) return 152;
  const expected = signatureOf(fields, appkey, signType);
  return appkey !== '' && sameSecret(signature.toLowerCase(), expected) ? null : 108;
}

export function signatureOf(fields: Fields, appkey: string, signType: 'md5' | 'sha1'): string {
  const appid = lastValue(fields, 'appid') ?? '';
  const joined = Object.keys(fields)
    .filter((name) => name !== 'signature' && name !== 'attachments')
    .sort()
    .map((name) => `${name}=${lastValue(fields, name)}`)
    .join('&');
  return createHash(signType).update(`${appid}${appkey}${joined}${appid}${appkey}`, 'utf8').digest('hex');
}
