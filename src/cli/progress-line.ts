/** One line on standard error that changes as work goes on, where somebody can see it. */
import type { Clock } from '../base/clock.ts';
import type { Terminal } from './terminal.ts';

export interface ProgressLine {
  show(text: string): void;
  clear(): void;
}

const everyMs = 200;
const width = 79;

export function createProgressLine({ interactive, err }: Terminal, clock: Clock): ProgressLine {
  let shownAt = 0;
  return {
    show(text) {
      if (!interactive || clock.now() - shownAt < everyMs) return;
      shownAt = clock.now();
      err(`\r${text.slice(-width).padEnd(width)}`);
    },
    clear() {
      if (shownAt > 0) err(`\r${' '.repeat(width)}\r`);
      shownAt = 0;
    },
  };
}
