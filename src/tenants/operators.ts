/** Operators: people who run the installation. Their passwords may become their own choice, so they are hashed slowly. */
import { scryptSync } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { randomHex, randomSecret } from '../base/random.ts';
import { sameSecret } from '../base/secret.ts';
import { type Store, text } from '../store/store.ts';
import type { Tenants } from './tenants.ts';

type Operators = Pick<Tenants, 'createOperator' | 'operators' | 'checkOperator'>;

const hashBytes = 32;
const namePattern = /^[a-z0-9](?:[a-z0-9._@-]{0,62})$/;

export function createOperators(store: Store, clock: Clock): Operators {
  return {
    createOperator(name) {
      if (!namePattern.test(name)) {
        return {
          ok: false,
          problem: `"${name}" is no operator name: use lower-case letters, digits and . _ @ -`,
        };
      }
      const password = randomSecret();
      const hash = slowHash(password, randomHex(16));
      return store.transaction(() => {
        if (store.get('SELECT 1 FROM operators WHERE name = ?', name)) {
          return { ok: false, problem: `operator ${name} exists already` };
        }
        store.run(
          'INSERT INTO operators (name, password_hash, created_at) VALUES (?, ?, ?)',
          name,
          hash,
          clock.now(),
        );
        return { ok: true, value: { password } };
      });
    },
    operators: () => store.all('SELECT name FROM operators ORDER BY name').map((row) => text(row, 'name')),
    checkOperator(name, password) {
      const row = store.get('SELECT password_hash FROM operators WHERE name = ?', name);
      const stored = row ? text(row, 'password_hash') : '00:';
      return sameSecret(slowHash(password, stored.split(':')[0] ?? ''), stored) && row !== undefined;
    },
  };
}

/** `salt:hash`, both hex. */
function slowHash(password: string, salt: string): string {
  return `${salt}:${scryptSync(password, salt, hashBytes).toString('hex')}`;
}
