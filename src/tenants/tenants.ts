/**
 * Tenants and what belongs to them: streams (sending identities with a number), sending domains and their DKIM keys,
 * credentials, limits, retry schedules, IP pools, deny rules, suppressions, operators. Data in the store, read at each use: a
 * change by the command line takes effect at once in every process.
 *
 * This is the module's door. Not here: what a foreign API calls these things (dialects).
 */
import type { Clock } from '../base/clock.ts';
import type { InstallationKey } from '../base/secret.ts';
import type { Store } from '../store/store.ts';
import { createCredentials } from './credentials.ts';
import { createDenyRules, type DenyRules } from './deny-rules.ts';
import { createDkimKeys, type DkimKeys } from './dkim-keys.ts';
import { createIpPools, type IpPools } from './ip-pools.ts';
import { createLimitsOfTenants, type LimitsOfTenants } from './limits-of-tenant.ts';
import { createOperators } from './operators.ts';
import { createRegister } from './register.ts';
import { createRetrySchedules, type RetrySchedules } from './retry-schedules.ts';
import { createSuppressions, type Suppressions } from './suppressions.ts';

export { type DenyRule, type DenyRuleType, denyRuleTypes } from './deny-rules.ts';
export {
  type DkimKey,
  type DkimKeyPair,
  type DkimKeyState,
  generateDkimKeyPair,
  type SigningKey,
} from './dkim-keys.ts';
export type { LimitsChange, QuotaAnswer, TenantLimits, TenantRules } from './limits-of-tenant.ts';
export { type CountedQuota, type Quota, type QuotaPeriod, type Quotas, quotaPeriods } from './quotas.ts';
export { installationTenant } from './register.ts';
export {
  type NewSuppression,
  type Suppression,
  type SuppressionFilter,
  type SuppressionKind,
  suppressionKinds,
} from './suppressions.ts';

export interface Tenant {
  id: number;
  /** Lower-case letters, digits and hyphens; unique. */
  name: string;
  /** IANA zone of the tenant's days. */
  zone: string;
  createdAt: number;
}

/** A sending identity of a tenant: a number of 5 digits or more, valid wherever an API wants one. */
export interface Stream {
  id: number;
  tenantId: number;
  name: string;
  state: 'active' | 'suspended';
}

export interface SendingDomain {
  domain: string;
  tenantId: number;
  /** Null until its DNS records prove it; domains under reserved names are verified at creation. */
  verifiedAt: number | null;
}

/** Who a credential speaks for. */
export interface CredentialHolder {
  tenantId: number;
  /** Null: for every stream of the tenant. */
  streamId: number | null;
  /** The public half: a user name, an account or app id. */
  identifier: string;
}

export interface NewCredential {
  /** `smtp` or the name of a dialect. */
  protocol: string;
  tenantId: number;
  streamId: number | null;
  /** Unique per protocol. */
  identifier: string;
  secret: string;
  /** Keep the secret so that it can be read again (sealed): for protocols that sign with it. */
  recoverable?: boolean;
}

export type Named<T> = { ok: true; value: T } | { ok: false; problem: string };

export interface Tenants extends DkimKeys, Suppressions, DenyRules, LimitsOfTenants, RetrySchedules, IpPools {
  /** All changes of `work` or none: a refusal undoes them, as a throw does. */
  together<T>(work: () => Named<T>): Named<T>;
  /** Also makes the tenant's first stream. */
  createTenant(request: { name: string; zone?: string }): Named<{ tenant: Tenant; stream: Stream }>;
  tenants(): Tenant[];
  tenant(id: number): Tenant | null;
  tenantNamed(name: string): Tenant | null;
  /** Ascending by number. */
  streams(tenantId: number): Stream[];
  stream(id: number): Stream | null;
  addSendingDomain(tenantId: number, domain: string): Named<SendingDomain>;
  /** Takes somebody's word for it instead of a proof. False if the tenant has no such domain. */
  verifySendingDomain(tenantId: number, domain: string): boolean;
  /** Ascending by name. */
  sendingDomains(tenantId: number): SendingDomain[];
  /** Everyone who has the domain: one tenant, or several for a reserved name such as `example.test`. */
  sendingDomainOwners(domain: string): SendingDomain[];

  addCredential(credential: NewCredential): void;
  /** False if there is none. */
  removeCredential(protocol: string, identifier: string): boolean;
  /** The holder of a secret; looked up by its hash. */
  credentialBySecret(protocol: string, secret: string): CredentialHolder | null;
  /** The holder of an identifier, with its secret if that is recoverable. */
  credentialByIdentifier(
    protocol: string,
    identifier: string,
  ): (CredentialHolder & { secret: string | null }) | null;
  /** The holder if the pair is right. Takes the same time for a wrong name as for a wrong secret. */
  checkCredential(protocol: string, identifier: string, secret: string): CredentialHolder | null;

  /** Returns the made password. */
  createOperator(name: string): Named<{ password: string }>;
  operators(): string[];
  checkOperator(name: string, password: string): boolean;
}

export function openTenants(store: Store, key: InstallationKey, clock: Clock): Tenants {
  return {
    together: (work) => together(store, work),
    ...createRegister(store, clock),
    ...createCredentials(store, key, clock),
    ...createOperators(store, clock),
    ...createSuppressions(store, key, clock),
    ...createDenyRules(store, clock),
    ...createLimitsOfTenants(store, clock),
    ...createRetrySchedules(store),
    ...createIpPools(store),
    ...createDkimKeys(store, key, clock),
  };
}

/** A transaction is undone by a throw only. */
class Refusal extends Error {
  readonly problem: string;

  constructor(problem: string) {
    super(problem);
    this.problem = problem;
  }
}

function together<T>(store: Store, work: () => Named<T>): Named<T> {
  try {
    return store.transaction(() => {
      const done = work();
      if (!done.ok) throw new Refusal(done.problem);
      return done;
    });
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, problem: error.problem };
    throw error;
  }
}
