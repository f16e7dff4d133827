/** HTTP Basic (RFC 7617) with the user name `api` and the API key as its password. */
import type { CredentialHolder, Tenants } from '../../tenants/tenants.ts';

const userName = 'api';

/** Null unless the header names a key of ours. */
export function authenticate(
  tenants: Pick<Tenants, 'credentialBySecret'>,
  authorization: string | undefined,
): CredentialHolder | null {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return null;
  const pair = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (pair.slice(0, colon) !== userName) return null;
  return tenants.credentialBySecret('mailgun', pair.slice(colon + 1));
}
