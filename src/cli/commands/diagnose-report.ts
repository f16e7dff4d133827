import { open } from 'node:fs/promises';
import { limits } from '../../base/limits.ts';
import { type Report, readReport } from '../../relay/receive-report.ts';
import { type Call, type Command, exitCodes } from '../command.ts';
import { jsonLine, renderTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

export const diagnoseReportCommand: Command = {
  name: 'diagnose report',
  summary: 'Tell what a bounce or a feedback report says, and what Waybill makes of it',
  description:
    'Reads delivery status notifications, bounces in free form, and feedback reports (complaints). Nothing is changed: ' +
    'no address is suppressed by it. Exit code 1 if a file cannot be read; the others are read all the same.',
  operands: {
    text: 'FILE...',
    meaning: 'The mail as it came, header section and all; `-` reads it from standard input.',
    min: 1,
    max: limits.commandOperands,
  },
  options: {},
  output:
    '{"kind":"dsn"|"feedback"|"none","recipients":[{"finalRecipient","originalRecipient","action","status",' +
    '"class":4|5|null,"hard":true|false,"reason","suppress":true|false}]}, one line for each file',
  examples: ['waybill diagnose report bounce.eml', 'waybill diagnose report --json - < bounce.eml'],
  async run(call) {
    let exitCode: number = exitCodes.ok;
    for (const file of call.operands) {
      const content = await contentOf(file, call.terminal);
      if (typeof content === 'string') {
        call.terminal.err(`waybill: ${content}\n`);
        exitCode = exitCodes.failed;
      } else {
        tell(call, file, readReport(content));
      }
    }
    return exitCode;
  },
};

/** The file's content, or why there is none. */
async function contentOf(file: string, terminal: Terminal): Promise<Buffer | string> {
  const name = file === '-' ? 'standard input' : file;
  try {
    const content =
      file === '-'
        ? await terminal.readInput(limits.contentBytes)
        : await readBounded(file, limits.contentBytes);
    return content ?? `${name} is larger than a mail may be (${limits.contentBytes} bytes)`;
  } catch (error) {
    return `${name} cannot be read: ${inWords(error)}`;
  }
}

const causes: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'permission is denied',
};

function inWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  return Object.hasOwn(causes, code) ? (causes[code] ?? code) : error.message;
}

/** Null if there is more. Reads at most one byte more than allowed: what says it is small may be a device. */
async function readBounded(file: string, maxBytes: number): Promise<Buffer | null> {
  const handle = await open(file);
  try {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of handle.createReadStream({
      end: maxBytes,
      autoClose: false,
    }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      chunks.push(chunk);
    }
    return bytes > maxBytes ? null : Buffer.concat(chunks, bytes);
  } finally {
    await handle.close();
  }
}

const kinds = {
  dsn: 'a report on delivery',
  feedback: 'a feedback report (complaint)',
  none: 'no report',
} as const satisfies Record<Report['kind'], string>;

const heads = ['RECIPIENT', 'ACTION', 'STATUS', 'CLASS', 'BOUNCE', 'REASON', 'SUPPRESS'];

function tell({ json, terminal, operands }: Call, file: string, report: Report): void {
  if (json) {
    terminal.out(jsonLine(report));
    return;
  }
  const title = operands.length > 1 ? `${file}: ` : '';
  terminal.out(`${title}${kinds[report.kind]}\n`);
  if (report.recipients.length > 0)
    terminal.out(renderTable(heads, report.recipients.map(rowOf), terminal.columns));
}

function rowOf(recipient: Report['recipients'][number]): string[] {
  const { finalRecipient, originalRecipient } = recipient;
  const differs = originalRecipient !== null && originalRecipient !== finalRecipient;
  return [
    `${finalRecipient || '(not told)'}${differs ? ` (sent to ${originalRecipient})` : ''}`,
    recipient.action,
    recipient.status ?? '-',
    String(recipient.class ?? '-'),
    recipient.class === null ? '-' : recipient.hard ? 'hard' : 'soft',
    recipient.reason ?? '-',
    recipient.suppress ? 'yes' : 'no',
  ];
}
