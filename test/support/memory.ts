/** What a process has of memory now. Linux only. */
import { readFileSync } from 'node:fs';

export function rssMb(pid: number): number {
  const [, kilobytes = '0'] = readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/) ?? [];
  return Math.round(Number(kilobytes) / 1024);
}
