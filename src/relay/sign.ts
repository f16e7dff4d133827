/**
 * Step 7 of a mail's way in: a DKIM-Signature per active key of the sending domain (RFC 6376, RFC 8463). Which keys
 * is asked for each mail; opened keys are kept. The signing itself runs in a thread of its own (`signing-thread.ts`).
 *
 * Never unsigned by accident: if a key cannot be read or does not sign, the mail is refused for now and the client
 * keeps it. Its domain may be one of those whose policy (RFC 7489) has unsigned mail thrown away.
 */
import { type KeyObject, sign as signBytes } from 'node:crypto';
import { mailIdParts } from '../base/id.ts';
import { limits } from '../base/limits.ts';
import type { Log } from '../base/log.ts';
import type { MailFacts } from '../events/event.ts';
import {
  type SignableContent,
  signableContent,
  signedField,
  type UnsignedField,
  unsignedField,
} from '../protocol/dkim/dkim.ts';
import type { SigningKey, Tenants } from '../tenants/tenants.ts';
import { ownersOf } from './sender-rights.ts';
import { createSigningThread } from './signing-thread.ts';
import { refusal, type SubmissionRefusal } from './submission.ts';

export type Signed = { ok: true; content: Buffer } | SubmissionRefusal;

export type Sign = (facts: MailFacts, content: Buffer) => Promise<Signed> | Signed;

export function createSigner(tenants: Pick<Tenants, 'signingKeys' | 'openSigningKey'>): Sign {
  const opened = createOpenedKeys((id) => tenants.openSigningKey(id));
  const thread = createSigningThread();

  const signWith = async (key: SigningKey, content: SignableContent, facts: MailFacts): Promise<string> => {
    const { sendingDomain: domain, acceptedAt: signedAt } = facts;
    const { algorithm, selector } = key;
    const field = unsignedField(content, { algorithm, domain, selector, signedAt });
    const privateKey = opened(key.id);
    return signedField(field, await thread.sign(hashNameOf(algorithm), field.input, privateKey));
  };

  return (facts, content) => {
    const { tenantId, sendingDomain: domain } = facts;
    const keys = tenants.signingKeys({ tenantId, domain });
    return keys.length === 0 ? { ok: true, content } : signAll(keys, facts, content);
  };

  async function signAll(keys: readonly SigningKey[], facts: MailFacts, content: Buffer): Promise<Signed> {
    try {
      const signable = signableContent(content);
      const fields = await Promise.all(keys.map(async (key) => signWith(key, signable, facts)));
      return { ok: true, content: Buffer.concat([Buffer.from(fields.join(''), 'latin1'), content]) };
    } catch (fault) {
      const names = keys.map(({ selector }) => selector).join(', ');
      return refusal(
        451,
        '4.7.5',
        'The mail could not be signed, try again later',
        `signing for ${facts.sendingDomain} with ${names} failed: ${fault instanceof Error ? fault.message : fault}`,
      );
    }
  }
}

/**
 * For a small mail of ours that is made within a transaction: by the keys of the domain that our host name is or is
 * under, on this thread.
 */
export type SignNow = (mailId: number, content: Buffer) => Buffer;

export function createSignNow(tenants: Tenants, hostname: string, log: Log): SignNow {
  return (mailId, content) => {
    const owner = ownersOf(tenants, hostname).find(({ verifiedAt }) => verifiedAt !== null);
    const keys = owner ? tenants.signingKeys(owner) : [];
    if (!owner || keys.length === 0) return content;
    const signedAt = mailIdParts(mailId).at;
    try {
      const signable = signableContent(content);
      const fields = keys.map(({ id, algorithm, selector }) => {
        const field = unsignedField(signable, { algorithm, domain: owner.domain, selector, signedAt });
        return signedField(field, signBytes(hashNameOf(algorithm), field.input, tenants.openSigningKey(id)));
      });
      return Buffer.concat([Buffer.from(fields.join(''), 'latin1'), content]);
    } catch (fault) {
      // A verdict must not be lost for want of a signature.
      log.error({ fault, domain: owner.domain }, 'a notification could not be signed');
      return content;
    }
  };
}

/** Ed25519 has its hash within; what it is given is one already. */
function hashNameOf(algorithm: UnsignedField['algorithm']): string | null {
  return algorithm === 'rsa-sha256' ? 'sha256' : null;
}

/** The least recently used one makes room. Numbers of keys are never used again, so what is kept stays true. */
function createOpenedKeys(open: (id: number) => KeyObject): (id: number) => KeyObject {
  const kept = new Map<number, KeyObject>();
  return (id) => {
    const key = kept.get(id) ?? open(id);
    kept.delete(id);
    kept.set(id, key);
    if (kept.size > limits.dkimKeysInMemory) {
      const [oldest] = kept.keys();
      if (oldest !== undefined) kept.delete(oldest);
    }
    return key;
  };
}
