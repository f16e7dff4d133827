/** The process entry: the command line, then its exit code, also if something it gave up on still holds a socket. */
import { runCommandLine } from './cli/cli.ts';

const exitCode = await runCommandLine(process.argv.slice(2));
await new Promise((resolve) => process.stdout.write('', resolve));
process.exit(exitCode);
