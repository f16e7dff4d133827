import { limits } from '../../base/limits.ts';
import { OptionProblem } from '../../base/option.ts';
import { byteSize } from '../../config/config.ts';
import { type LimitsChange, type Quota, quotaPeriods } from '../../tenants/tenants.ts';
import { type Call, type Command, exitCodes, usageProblem } from '../command.ts';
import { tenantNamed, withInstallation } from '../installation.ts';
import { jsonLine } from '../table.ts';
import { type QuotaEntry, quotaEntry } from './quota-show.ts';

const mostForwardPaths = 1_000_000_000;
const quotaMeaning = (period: string) =>
  `Recipients in one ${period}: \`1000\` or \`1000:hold\` keeps more until there is room, \`1000:refuse\` sends the client away for now, \`none\` ends the quota.`;

export const quotaSetCommand: Command = {
  name: 'quota set',
  summary: 'Limit what a tenant may send',
  description:
    "Counted are recipients, not mails, in calendar windows: minutes and hours of UTC, days and months of the tenant's " +
    'zone. A change takes effect at once; what was counted in the present window still counts. What is not named stays ' +
    'as it is.',
  operands: { text: 'TENANT', meaning: 'Name of the tenant.', min: 1, max: 1 },
  options: {
    ...Object.fromEntries(
      quotaPeriods.map((period) => [period, { value: 'COUNT', meaning: quotaMeaning(period) }]),
    ),
    recipients: {
      value: 'COUNT',
      meaning: `Recipients of one mail, 1 to ${limits.forwardPathsPerMail}; \`none\` for no limit of its own.`,
    },
    bytes: {
      value: 'SIZE',
      meaning: 'Content of one mail, such as `10MiB`; `none` for no limit of its own.',
    },
  },
  output: '{"tenant","recipientsPerMail","bytesPerMail","quotas":[…]} as in quota show',
  examples: [
    'waybill quota set acme --minute 100 --hour 2000 --month 50000:refuse',
    'waybill quota set acme --recipients 50 --bytes 10MiB --hour none',
  ],
  run: (call) => {
    const change = changeOf(call);
    return withInstallation(call, { create: false }, ({ tenants }) => {
      const tenant = tenantNamed(tenants, call.operands[0] ?? '');
      tenants.setLimits(tenant.id, change);
      const entry = quotaEntry(tenants, tenant);
      call.terminal.out(call.json ? jsonLine(entry) : described(entry));
      return exitCodes.ok;
    });
  },
};

function changeOf(call: Call): LimitsChange {
  const quotas = quotaPeriods.flatMap((period) => {
    const text = call.text(period);
    return text === undefined ? [] : [[period, quotaOf(period, text)] as const];
  });
  const [recipients, bytes] = [call.text('recipients'), call.text('bytes')];
  if (quotas.length === 0 && recipients === undefined && bytes === undefined) {
    const known = [...quotaPeriods, 'recipients', 'bytes'].map((option) => `--${option}`);
    throw usageProblem(`say what to limit: ${known.join(', ')}`);
  }
  return {
    quotas: Object.fromEntries(quotas),
    ...(recipients === undefined ? {} : { recipientsPerMail: recipientsOf(recipients) }),
    ...(bytes === undefined ? {} : { bytesPerMail: bytesOf(bytes) }),
  };
}

function quotaOf(period: string, text: string): Quota | null {
  if (text === 'none') return null;
  const [, count, action = 'hold'] = /^(\d{1,10})(?::(hold|refuse))?$/.exec(text) ?? [];
  if (count === undefined || Number(count) > mostForwardPaths) {
    throw usageProblem(
      `--${period}: expected a number such as 1000, 1000:hold, 1000:refuse, or none, not "${text}"`,
    );
  }
  return { most: Number(count), whenFull: action === 'refuse' ? 'refuse' : 'hold' };
}

function recipientsOf(text: string): number | null {
  if (text === 'none') return null;
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= limits.forwardPathsPerMail) return count;
  throw usageProblem(`--recipients: expected a number from 1 to ${limits.forwardPathsPerMail}, or none`);
}

const size = byteSize(1, 1024 ** 4);

function bytesOf(text: string): number | null {
  if (text === 'none') return null;
  try {
    return size.parse(text);
  } catch (error) {
    if (error instanceof OptionProblem) throw usageProblem(`--bytes: ${error.message}, or none`);
    throw error;
  }
}

function described({ tenant, recipientsPerMail, bytesPerMail, quotas }: QuotaEntry): string {
  const lines = [
    ...quotas.map(
      ({ period, most, whenFull, used }) =>
        `${most} recipients per ${period}, more are ${whenFull === 'hold' ? 'held' : 'refused'}; ${used} used\n`,
    ),
    ...(recipientsPerMail === null ? [] : [`${recipientsPerMail} recipients per mail\n`]),
    ...(bytesPerMail === null ? [] : [`${bytesPerMail} bytes per mail\n`]),
  ];
  return lines.length === 0 ? `${tenant} has no limits of its own\n` : lines.join('');
}
