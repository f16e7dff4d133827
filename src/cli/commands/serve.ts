import type { Command } from '../command.ts';
import { configOrProblem } from '../installation.ts';
import { serve } from '../serve.ts';

export const serveCommand: Command = {
  name: 'serve',
  summary: 'Start Waybill and run until it is stopped',
  description:
    'Speaks SMTP and HTTP where the configuration says. SIGTERM or Ctrl-C lets the attempts under way finish, then ends ' +
    'with exit code 0. The first start makes a tenant and an operator and prints their credentials, once.',
  options: {
    'json-ready': {
      meaning: 'Print one line of JSON with the bound addresses when ready, and nothing else.',
    },
  },
  output:
    '{"ready":true,"smtp":"host:port,…","http":"host:port","addresses":{…},"pids":{…}}, at the first start also "firstStart"',
  examples: ['waybill serve', 'WAYBILL_SMTP_LISTEN=127.0.0.1:0 waybill serve --json-ready'],
  run: (call) => serve({ config: configOrProblem(call), jsonReady: call.flag('json-ready') || call.json }),
};
