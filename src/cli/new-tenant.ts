/** A new tenant with everything it needs to begin: a sending domain, and credentials for SMTP and every dialect. */
import { randomSecret } from '../base/random.ts';
import { dialects } from '../dialects/dialects.ts';
import type { DkimKeyPair, Named, Stream, Tenant, Tenants } from '../tenants/tenants.ts';

export interface NewTenantRequest {
  name: string;
  domain: string;
  /** IANA zone; UTC if absent. */
  zone?: string;
  /** The operator vouches that the tenant owns the domain. */
  verified?: boolean;
  /** Keys to sign the domain's mail with, once their records are published. */
  dkimKeys?: readonly DkimKeyPair[];
}

/** Shown once: of most secrets only a hash is kept. */
export interface NewTenant {
  tenant: { id: number; name: string };
  domain: string;
  smtp: { username: string; password: string };
  /** What each dialect calls its credentials, by the name of the dialect. */
  dialects: Record<string, Record<string, string>>;
}

/** All of it or nothing. Names are lower-cased. */
export function createTenantWithCredentials(tenants: Tenants, request: NewTenantRequest): Named<NewTenant> {
  const { name, domain, zone, verified = false, dkimKeys = [] } = request;
  return tenants.together(() => {
    const made = tenants.createTenant({ name: name.toLowerCase(), ...(zone === undefined ? {} : { zone }) });
    if (!made.ok) return made;
    const { tenant, stream } = made.value;
    const added = tenants.addSendingDomain(tenant.id, domain);
    if (!added.ok) return added;
    if (verified) tenants.verifySendingDomain(tenant.id, added.value.domain);
    const keys = tenants.addDkimKeys({ tenantId: tenant.id, domain: added.value.domain }, dkimKeys);
    if (!keys.ok) return keys;
    return {
      ok: true,
      value: {
        tenant: { id: tenant.id, name: tenant.name },
        domain: added.value.domain,
        smtp: issueSmtp(tenants, tenant),
        dialects: issueDialects(tenants, tenant, stream),
      },
    };
  });
}

/** As one flat object: the credentials of each dialect stand under its name. */
export function flatCredentials({ dialects: issued, ...rest }: NewTenant): Record<string, unknown> {
  return { ...rest, ...issued };
}

function issueSmtp(tenants: Tenants, tenant: Tenant): NewTenant['smtp'] {
  const password = randomSecret();
  // Not bound to a stream: a mail goes out under the tenant's first one.
  tenants.addCredential({
    protocol: 'smtp',
    tenantId: tenant.id,
    streamId: null,
    identifier: tenant.name,
    secret: password,
  });
  return { username: tenant.name, password };
}

function issueDialects(tenants: Tenants, tenant: Tenant, stream: Stream): NewTenant['dialects'] {
  return Object.fromEntries(
    dialects.map((dialect) => [dialect.name, dialect.issue(tenants, tenant, stream)]),
  );
}
