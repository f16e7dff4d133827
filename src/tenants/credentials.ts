/** Credentials of tenants: secrets we made, kept as hashes; sealed as well where a protocol signs with them. */
import type { Clock } from '../base/clock.ts';
import { hashSecret, type InstallationKey, sameSecret } from '../base/secret.ts';
import { bytesOrNull, integer, integerOrNull, type Row, type Store, text } from '../store/store.ts';
import { mapped } from './register.ts';
import type { CredentialHolder, Tenants } from './tenants.ts';

type Credentials = Pick<
  Tenants,
  'addCredential' | 'removeCredential' | 'credentialBySecret' | 'credentialByIdentifier' | 'checkCredential'
>;

const byIdentifier = 'SELECT * FROM credentials WHERE protocol = ? AND identifier = ?';
const bySecret = 'SELECT * FROM credentials WHERE protocol = ? AND secret_hash = ?';

export function createCredentials(store: Store, key: InstallationKey, clock: Clock): Credentials {
  return {
    addCredential({ protocol, tenantId, streamId, identifier, secret, recoverable = false }) {
      store.run(
        `INSERT INTO credentials (protocol, identifier, secret_hash, sealed_secret, tenant_id, stream_id, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
        protocol,
        identifier,
        hashSecret(secret),
        recoverable ? key.seal(secret) : null,
        tenantId,
        streamId,
        clock.now(),
      );
    },
    removeCredential: (protocol, identifier) =>
      store.run('DELETE FROM credentials WHERE protocol = ? AND identifier = ?', protocol, identifier)
        .changes > 0,
    credentialBySecret: (protocol, secret) =>
      mapped(store.get(bySecret, protocol, hashSecret(secret)), holderOf),
    credentialByIdentifier: (protocol, identifier) =>
      mapped(store.get(byIdentifier, protocol, identifier), (row) => {
        const sealed = bytesOrNull(row, 'sealed_secret');
        return { ...holderOf(row), secret: sealed ? key.open(sealed) : null };
      }),
    checkCredential(protocol, identifier, secret) {
      const row = store.get(byIdentifier, protocol, identifier);
      const right = sameSecret(row ? text(row, 'secret_hash') : '', hashSecret(secret));
      return row && right ? holderOf(row) : null;
    },
  };
}

function holderOf(row: Row): CredentialHolder {
  return {
    tenantId: integer(row, 'tenant_id'),
    streamId: integerOrNull(row, 'stream_id'),
    identifier: text(row, 'identifier'),
  };
}
