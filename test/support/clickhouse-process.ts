/** The HTTP front of ClickHouse in a process of its own: the embedded engine opens one folder per process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const front = fileURLToPath(new URL('./clickhouse-front.ts', import.meta.url));

/** Ended and removed when the test ends. `cluster`: one of a single shard that it has besides. */
export async function startClickHouse(
  t: Pick<TestContext, 'after'>,
  cluster?: string,
): Promise<{ url: string; process: ChildProcess }> {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-clickhouse-'));
  const server = spawn(process.execPath, [front, folder, ...(cluster === undefined ? [] : [cluster])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(async () => {
    if (server.exitCode === null && server.signalCode === null) {
      server.kill('SIGKILL');
      await once(server, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  });
  const [line] = await once(createInterface({ input: server.stdout }), 'line');
  return { url: String(line), process: server };
}
