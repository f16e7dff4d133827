/** What `serve` prints when it is ready: for people, with commands to paste; for programs, one line of JSON. */
import { printHostAndPort } from '../base/network.ts';
import { dialects } from '../dialects/dialects.ts';
import type { RunFile } from '../run-file.ts';
import type { FirstStart } from './first-start.ts';
import { flatCredentials } from './new-tenant.ts';

type Pids = Record<'relay' | 'office', number | null>;

export function readyLine({ smtp, http, pid }: RunFile, pids: Pids, first: FirstStart | null): string {
  const line = {
    ready: true,
    smtp: smtp.map(printHostAndPort).join(','),
    http: printHostAndPort(http),
    addresses: { smtp, http },
    pids: { supervisor: pid, ...pids },
    ...(first ? { firstStart: { ...flatCredentials(first.tenant), operator: first.operator } } : {}),
  };
  return `${JSON.stringify(line)}\n`;
}

export function welcome(run: RunFile, first: FirstStart | null): string {
  const base = `http://${printHostAndPort(run.http)}`;
  const lines = [
    'Waybill is ready.',
    `  SMTP  ${run.smtp.map(printHostAndPort).join(', ')}`,
    `  HTTP  ${base}  (reference: ${base}/docs)`,
    ...(first ? firstSteps(run, base, first) : []),
    '',
  ];
  return `${lines.join('\n')}\n`;
}

function firstSteps(run: RunFile, base: string, { tenant, operator }: FirstStart): string[] {
  const { smtp, domain } = tenant;
  const [listener] = run.smtp;
  const server = listener ? printHostAndPort(listener) : '';
  return [
    '',
    `This is the first start: tenant "${tenant.tenant.name}" with sending domain ${domain}, shown this once:`,
    `  SMTP      user ${smtp.username}  password ${smtp.password}`,
    `  operator  user ${operator.username}  password ${operator.password}`,
    '',
    'Send a first mail (names under .test never leave this machine):',
    `  swaks --server ${server} --auth PLAIN --auth-user ${smtp.username} --auth-password ${smtp.password} \\`,
    `    --from app@${domain} --to ok@example.test --header "Subject: Hello"`,
    '',
    'Ask what became of it:',
    ...dialects.flatMap((dialect) => {
      const credentials = tenant.dialects[dialect.name] ?? {};
      return [`  # ${dialect.title}`, `  curl ${dialect.example(base, credentials, domain)}`];
    }),
  ];
}
