import { assert } from '../../base/assert.ts';
import { environmentName, type Option } from '../../base/option.ts';
import { type Config, coreOptions, renderHelp } from '../../config/config.ts';
import { type Command, exitCodes } from '../command.ts';
import { dialectOptions, loadConfigOf } from '../installation.ts';
import { jsonLine, renderTable } from '../table.ts';
import { tellProblems } from './config-check.ts';

export const configShowCommand: Command = {
  name: 'config show',
  summary: 'Show the value of every option and where it comes from',
  description: 'Passwords within values are masked. A wrong configuration is told as `config check` does.',
  options: {},
  output: '{"options":[{"key","environment","value","source"}]}',
  examples: ['waybill config show', 'WAYBILL_NEXT_HOP=smtp://127.0.0.1:2526 waybill config show --json'],
  epilogue: () => `Options of the configuration:\n\n${renderHelp(dialectOptions)}`,
  run(call) {
    const loaded = loadConfigOf(call);
    if (!loaded.ok) return tellProblems(call, loaded.problems);
    const options = [...coreOptions, ...dialectOptions].map((option) => ({
      key: option.key,
      environment: environmentName(option.key),
      value: shownValue(option, loaded.config),
      source: loaded.sources.get(option.key) ?? 'default',
    }));
    const rows = options.map(({ key, source, value }) => [key, source, value === '' ? '(empty)' : value]);
    const { columns } = call.terminal;
    call.terminal.out(
      call.json ? jsonLine({ options }) : renderTable(['OPTION', 'FROM', 'VALUE'], rows, columns),
    );
    return exitCodes.ok;
  },
};

const mask = '[masked]';
const secretKeys = /(?:password|secret|token)$/;

function shownValue(option: Option<unknown>, config: Config): string {
  const text = option.print(configured(option.key, config));
  return secretKeys.test(option.key) && text !== '' ? mask : withoutSecrets(text);
}

/** `smtp://user:password@host` and `http://host/?password=…`. */
export function withoutSecrets(text: string): string {
  return text
    .replace(/(:\/\/[^/?#\s:@]*):[^/?#\s]*@/g, `$1:${mask}@`)
    .replace(/([?&](?:password|secret|token|key)=)[^&#\s]*/gi, `$1${mask}`);
}

/** The path of an option in the configuration is its key in camel case. */
function configured(key: string, config: Config): unknown {
  if (config.dialects.has(key)) return config.dialects.get(key);
  const path = key
    .split('.')
    .map((part) => part.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()));
  return path.reduce<unknown>((branch, name) => {
    assert(typeof branch === 'object' && branch !== null && name in branch, `the configuration has ${key}`);
    return (branch as Record<string, unknown>)[name];
  }, config);
}
