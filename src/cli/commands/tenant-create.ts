import { dialects } from '../../dialects/dialects.ts';
import { parseDomain } from '../../protocol/address/domain.ts';
import { isReservedDomain } from '../../protocol/address/reserved.ts';
import type { DkimKeyPair } from '../../tenants/tenants.ts';
import { type Command, CommandProblem, exitCodes } from '../command.ts';
import { generateDkimKeyPairs } from '../dkim.ts';
import { type Installation, withInstallation } from '../installation.ts';
import { createTenantWithCredentials, flatCredentials, type NewTenant } from '../new-tenant.ts';
import { jsonLine } from '../table.ts';

export const tenantCreateCommand: Command = {
  name: 'tenant create',
  summary: 'Make a tenant, with credentials for SMTP and every API',
  description:
    'The secrets are shown once: only what protects them is kept. A running server takes the tenant at once. Sending ' +
    'domains under `.test`, `.example`, `.invalid`, `.localhost` and example.com/.net/.org count as verified; ' +
    'others get DKIM keys, which sign once "waybill dkim rotate" says that their records are published.',
  operands: {
    text: 'NAME',
    meaning: 'Lower-case letters, digits and hyphens; also the user name for SMTP.',
    min: 1,
    max: 1,
  },
  options: {
    domain: { value: 'DOMAIN', meaning: 'Domain that the tenant sends from.', required: true },
    verified: {
      meaning: 'Vouch that the tenant owns the domain: mail from a domain that is not verified is refused.',
    },
    zone: { value: 'ZONE', meaning: "IANA time zone of the tenant's days; UTC if not given." },
  },
  output:
    '{"tenant":{"id","name"},"domain","smtp":{"username","password"}} and the credentials of each API under its name',
  examples: [
    'waybill tenant create acme --domain acme.test',
    'waybill tenant create shop --domain shop.test --zone Europe/Vienna --json',
  ],
  run: (call) =>
    withInstallation(call, { create: true }, async (installation) => {
      const [name = ''] = call.operands;
      const [domain, zone] = [call.text('domain') ?? '', call.text('zone')];
      const request = {
        name,
        domain,
        verified: call.flag('verified'),
        dkimKeys: await dkimKeysFor(domain),
        ...(zone === undefined ? {} : { zone }),
      };
      const made = createTenantWithCredentials(installation.tenants, request);
      if (!made.ok) throw new CommandProblem(made.problem);
      call.terminal.out(call.json ? jsonLine(flatCredentials(made.value)) : described(made.value));
      warnIfUnverified(call.terminal.err, installation, made.value);
      return exitCodes.ok;
    }),
};

/** Nobody can publish a record under a reserved name: there they are made on demand. */
function dkimKeysFor(domain: string): Promise<DkimKeyPair[]> | DkimKeyPair[] {
  const parsed = parseDomain(domain);
  return parsed.ok && !isReservedDomain(parsed.domain) ? generateDkimKeyPairs() : [];
}

function described({ tenant, domain, smtp, dialects: issued }: NewTenant): string {
  const rows: [string, string][] = [
    ['SMTP', pairs(smtp)],
    ...dialects.map(({ name, title }): [string, string] => [title, pairs(issued[name] ?? {})]),
  ];
  const width = Math.max(...rows.map(([title]) => title.length));
  const lines = rows.map(([title, text]) => `  ${title.padEnd(width)}  ${text}\n`);
  const dkim = isReservedDomain(domain)
    ? ''
    : `To sign its mail: publish the records of "waybill dkim show ${domain}", then "waybill dkim rotate ${domain}".\n`;
  return `Tenant ${tenant.name} (${tenant.id}) sends from ${domain}. Its credentials, shown this once:\n${lines.join('')}${dkim}`;
}

function pairs(credentials: Record<string, string>): string {
  return Object.entries(credentials)
    .map(([name, value]) => `${name} ${value}`)
    .join('  ');
}

function warnIfUnverified(
  err: (text: string) => void,
  { tenants }: Installation,
  { tenant, domain }: NewTenant,
) {
  const unverified = tenants.sendingDomains(tenant.id).some((own) => own.verifiedAt === null);
  if (unverified) err(`waybill: ${domain} is not verified yet; until then mail from it is refused\n`);
}
