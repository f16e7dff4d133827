import { readFile, stat } from 'node:fs/promises';
import { randomHex, randomSecret } from '../../base/random.ts';
import { domainOf } from '../../protocol/address/address.ts';
import type { Tenant, Tenants } from '../../tenants/tenants.ts';
import { type Call, type Command, CommandProblem, exitCodes, usageProblem } from '../command.ts';
import { composeMail } from '../compose.ts';
import { type Installation, tenantNamed, withInstallation } from '../installation.ts';
import { runningServer } from '../running-server.ts';
import { type Submitted, submitMail } from '../submit.ts';
import { jsonLine, printable } from '../table.ts';
import { addressOf } from '../values.ts';

export const sendCommand: Command = {
  name: 'send',
  summary: 'Send a plain text mail through the running server, by SMTP',
  description:
    'Prints the relay id, which `waybill log` and `waybill queue show` take. The mail is sent as the tenant that owns ' +
    'the domain of `--from`, under a credential that exists for this one mail. Exit code 1 if a forward-path is refused.',
  options: {
    from: { value: 'ADDRESS', meaning: 'Reverse-path and From field.', required: true },
    to: { value: 'ADDRESS', meaning: 'Forward-path and To field.', required: true, repeatable: true },
    subject: { value: 'TEXT', meaning: 'Subject field.', required: true },
    body: { value: 'TEXT', meaning: 'The text of the mail.' },
    file: {
      value: 'FILE',
      meaning:
        'Read the text (UTF-8) from a file. Without `--body` and `--file` it is read from standard input.',
    },
    tenant: { value: 'NAME', meaning: 'Send as this tenant; needed if several tenants have the domain.' },
  },
  output: '{"relayId","forwardPaths":[{"forwardPath","accepted","answer"}]}',
  examples: [
    'waybill send --from app@example.test --to ok@example.test --subject Hello --body "Is this on?"',
    'df -h | waybill send --from app@example.test --to greylist@example.test --subject "Disk space"',
  ],
  run(call) {
    const from = addressOf('from', call.text('from') ?? '').address;
    const to = call.texts('to').map((text) => addressOf('to', text).address);
    if (call.flag('body') && call.flag('file')) throw usageProblem('--body and --file exclude each other');
    return withInstallation(call, { create: false }, async (installation) => {
      const run = runningServer(installation.config);
      const tenant = senderOf(installation.tenants, from, call.text('tenant'));
      const subject = call.text('subject') ?? '';
      const body = await bodyOf(call, installation.config.smtp.maxContentBytes);
      const content = composeMail({ from, to, subject, body, at: installation.clock.now() });
      const mail = { reversePath: from, forwardPaths: to, content };
      const submitted = await withCredential(call, installation, tenant, (credentials) =>
        submitMail(mail, { config: installation.config, run }, credentials),
      );
      return tell(call, submitted);
    });
  },
};

/** The owner of the domain of `from`, or of the nearest domain above it. */
function senderOf(tenants: Tenants, from: string, name: string | undefined): Tenant {
  if (name !== undefined) return tenantNamed(tenants, name);
  const domain = domainOf(from);
  for (let at = domain; at !== ''; at = at.includes('.') ? at.slice(at.indexOf('.') + 1) : '') {
    const owners = tenants.sendingDomainOwners(at).flatMap(({ tenantId }) => tenants.tenant(tenantId) ?? []);
    const [only, ...others] = owners;
    if (only !== undefined && others.length === 0) return only;
    if (only !== undefined) {
      const names = owners.map((owner) => owner.name).join(', ');
      throw new CommandProblem(`several tenants send from ${at}: say which with --tenant (${names})`);
    }
  }
  throw new CommandProblem(`no tenant sends from ${domain}; "waybill tenant list" shows the sending domains`);
}

async function bodyOf({ text, terminal }: Call, maxBytes: number): Promise<string> {
  const [body, file] = [text('body'), text('file')];
  if (body !== undefined) return body;
  if (file === undefined && terminal.interactive) terminal.err('The text of the mail, ended by Ctrl-D:\n');
  const bytes = file === undefined ? await terminal.readInput(maxBytes) : await readBounded(file, maxBytes);
  if (bytes === null)
    throw new CommandProblem(`the text is larger than the server takes (${maxBytes} bytes)`);
  return bytes.toString('utf8');
}

async function readBounded(file: string, maxBytes: number): Promise<Buffer | null> {
  const { size } = await stat(file);
  return size > maxBytes ? null : await readFile(file);
}

/** A credential for one mail: gone again whatever happens in between. */
async function withCredential<T>(
  { terminal }: Call,
  { tenants }: Installation,
  tenant: Tenant,
  work: (credentials: { username: string; password: string }) => Promise<T>,
): Promise<T> {
  const credentials = { username: `send-${randomHex(8)}`, password: randomSecret() };
  const { username, password } = credentials;
  // From here on Ctrl-C ends the wait, not the process: the credential must go.
  const interrupted = terminal.interrupted();
  tenants.addCredential({
    protocol: 'smtp',
    tenantId: tenant.id,
    streamId: null,
    identifier: username,
    secret: password,
  });
  try {
    return await Promise.race([work(credentials), rejectionAt(interrupted)]);
  } finally {
    tenants.removeCredential('smtp', username);
  }
}

function rejectionAt(interrupted: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(new CommandProblem('interrupted; whether the mail was taken is not known'));
    if (interrupted.aborted) stop();
    interrupted.addEventListener('abort', stop, { once: true });
  });
}

function tell({ json, terminal }: Call, { relayId, answers }: Submitted): number {
  if (json) {
    terminal.out(jsonLine({ relayId, forwardPaths: answers }));
  } else {
    if (relayId !== null) terminal.out(`${relayId}\n`);
    for (const { forwardPath, accepted, answer } of answers) {
      if (!accepted) terminal.err(`waybill: ${forwardPath}: ${printable(answer)}\n`);
    }
  }
  return answers.every(({ accepted }) => accepted) ? exitCodes.ok : exitCodes.failed;
}
