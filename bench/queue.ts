/**
 * A long queue: how fast the relay starts on it, what one look at it costs, what the relay's memory is.
 *
 *   npm run bench:queue -- [--deliveries 1e6] [--mails 1e5]
 *
 * Half of the deliveries are one tenant's to one destination; the rest belongs to 200 tenants and 10,000 destinations. Looks
 * are timed in this process on the store alone: each takes as many leases as there are places, and ends them. Then
 * Waybill itself is started, once on that queue and once on one of `--mails` mails, with a next hop that never greets. Prints
 * one JSON object. Needs about 3 GB of disk for a million deliveries, in the folder for temporary files.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { crc32 } from 'node:zlib';
import { dataPaths } from '../src/data-paths.ts';
import type { DeliveryFacts, MailFacts } from '../src/events/event.ts';
import { openQueue } from '../src/queue/queue.ts';
import { createLeases } from '../src/relay/leases.ts';
import { createSites } from '../src/relay/sites.ts';
import { createTurns } from '../src/relay/turn.ts';
import { openStore, type Store } from '../src/store/store.ts';

const tenants = 200;
const destinations = 10_000;
const looks = 500;
const header = 'From: app@example.org\r\nSubject: x\r\n\r\n';
const settleMs = 10_000;

const { values } = parseArgs({
  options: { deliveries: { type: 'string', default: '1e6' }, mails: { type: 'string', default: '1e5' } },
});
const [deliveries, mails] = [Number(values.deliveries), Number(values.mails)];
for (const count of [deliveries, mails])
  if (!(count >= 1000 && count <= 1e7)) throw new Error('--deliveries and --mails take 1000 to 10000000');

const folder = mkdtempSync(join(tmpdir(), 'waybill-bench-queue-'));
try {
  const empty = await startOn(join(folder, 'empty'), 0);
  const long = join(folder, 'long');
  fill(long, deliveries, Buffer.from(`${header}x\r\n`));
  const look = await lookTimes(long);
  const started = await startOn(long, 1);
  rmSync(long, { recursive: true });
  const middling = join(folder, 'middling');
  fill(middling, mails, Buffer.from(`${header}${'x'.repeat(4000)}\r\n`));
  const memory = await startOn(middling, 1);
  const [cpu] = cpus();
  console.log(
    JSON.stringify({
      machine: { cores: cpus().length, cpu: cpu?.model ?? '', memoryGb: Math.round(totalmem() / 2 ** 30) },
      node: process.version,
      empty,
      long: { deliveries, look, ...started },
      middling: { mails, ...memory },
    }),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/* ---- the queue ---- */

function fill(dataDir: string, count: number, content: Buffer): void {
  const store = openStore(dataPaths(dataDir).store, { grouped: true });
  const queue = openQueue(store);
  const place = { segment: null, offset: null, bytes: content.length, checksum: crc32(content) };
  const begun = performance.now();
  for (let from = 1; from <= count; from += 10_000)
    store.transaction(() => {
      for (let mailId = from; mailId < from + 10_000 && mailId <= count; mailId += 1) {
        const large = mailId % 2 === 0;
        const tenantId = large ? 1 : (mailId % tenants) + 1;
        const domain = large ? 'large.org' : `d${mailId % destinations}.org`;
        queue.insertMail({ facts: mailFacts(mailId, tenantId, content.length), content: place });
        store.run('INSERT INTO contents (mail_id, content) VALUES (?, ?)', mailId, content);
        const mailClass = mailId % 4 === 0 ? 'bulk' : 'transactional';
        queue.insertDelivery(mailId, {
          facts: deliveryFacts(domain, mailId),
          destination: domain,
          class: mailClass,
        });
      }
    });
  store.close();
  console.error(`${count} deliveries in ${Math.round((performance.now() - begun) / 1000)} s`);
}

function mailFacts(mailId: number, tenantId: number, contentBytes: number): MailFacts {
  return {
    ...{ mailId, tenantId, streamId: 10_000 + tenantId, sendingDomain: 'example.org', acceptedAt: mailId },
    ...{ reversePath: 'app@example.org', fromField: { address: 'app@example.org', name: '' } },
    ...{ toField: '', replyTo: '', subject: 'x', messageIdField: `${mailId}@example.org` },
    ...{ contentBytes, bodyBytes: contentBytes, origin: '127.0.0.1', transport: 'smtp' },
    ...{ protocol: 'ESMTPA', authenticated: true, tags: [], template: '', category: '' },
  };
}

function deliveryFacts(domain: string, dueAt: number): DeliveryFacts {
  return {
    ...{ n: 1, forwardPath: `someone@${domain}`, domain, provider: domain, displayName: '', state: 'queued' },
    ...{ stateAt: dueAt, attempts: 0, deferrals: 0, firstAttemptAt: null, lastAttemptAt: null },
    ...{ deliveredAt: null, nextAttemptAt: dueAt, expiresAt: null, leased: false, reason: null },
    ...{ replyCode: null, enhancedStatus: '', diagnostic: '', remoteMta: '', remoteMtaAddress: '' },
    ...{ sendingIp: '', node: 'bench' },
  };
}

/* ---- looks ---- */

/** CPU milliseconds: the first look, and of many the middle one and the slowest; and of one lease with its change. */
async function lookTimes(dataDir: string) {
  const store = openStore(dataPaths(dataDir).store, { grouped: true });
  const queue = openQueue(store);
  const now = () => Date.now();
  const bounds = { attempts: 200, perDestination: 20 };
  const findTargets = {
    mx: async (name: string) => ({ ok: true as const, targets: [{ name, address: '192.0.2.1', port: 25 }] }),
    host: () => Promise.reject(new Error('there is no next hop')),
  };
  const sites = createSites({ now, nextHop: null, findTargets, bounds });
  const domains = ['large.org', ...Array.from({ length: destinations }, (_, i) => `d${i}.org`)];
  for (const domain of domains) await sites.learn(domain);
  const leases = createLeases({ now, sites, bounds, onLearned: () => {} });
  const turns = createTurns({ queue, leases, now });
  const times: number[] = [];
  let taken = 0;
  const begun = process.cpuUsage();
  for (let i = 0; i < looks; i += 1) {
    const before = process.cpuUsage();
    const turn = turns.take();
    times.push(cpuMsSince(before));
    taken += turn.leases.length;
    store.transaction(() => {
      for (const { lane, until } of turn.parked) queue.park(lane, until);
      for (const { mailId } of turn.leases) endDelivery(store, mailId);
    });
    for (const lease of turn.leases) leases.release(lease, 'well');
  }
  const allMs = cpuMsSince(begun);
  store.close();
  const [first = 0] = times;
  const sorted = times.toSorted((a, b) => a - b);
  return {
    ...{ looks, firstMs: round(first), middleMs: round(sorted[looks >> 1] ?? 0) },
    ...{ slowestMs: round(sorted.at(-1) ?? 0), leases: taken, msPerLease: round(allMs / taken) },
  };
}

function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function endDelivery(store: Store, mailId: number): void {
  store.run("UPDATE deliveries SET due_at = NULL, state = 'delivered' WHERE mail_id = ?", mailId);
}

/* ---- the product ---- */

/** Waits for so many attempts, then a while for the memory. */
async function startOn(dataDir: string, attempts: number) {
  const hop = await silentServer();
  const begun = performance.now();
  const child = serve(dataDir, hop.port);
  assertStdout(child);
  const ended = once(child, 'exit').then(() => null);
  const line = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended]);
  if (line === null) throw new Error('Waybill did not start');
  const readyMs = performance.now() - begun;
  while (hop.connections() < attempts) await new Promise((resolve) => setTimeout(resolve, 5));
  const firstAttemptMs = performance.now() - begun;
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const relay = relayOf(child.pid ?? 0);
  const relayRssMb = rssMb(relay);
  process.kill(relay, 'SIGKILL');
  child.kill('SIGKILL');
  await ended;
  hop.server.close();
  return {
    ...{ readyMs: Math.round(readyMs), firstAttemptMs: Math.round(firstAttemptMs) },
    ...{ attempts: hop.connections(), relayRssMb },
  };
}

function serve(dataDir: string, port: number): ChildProcess {
  return spawn(
    process.execPath,
    [fileURLToPath(new URL('../src/main.ts', import.meta.url)), 'serve', '--json-ready'],
    {
      env: {
        ...process.env,
        ...{ WAYBILL_DATA_DIR: dataDir, WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${port}?tls=none` },
        ...{ WAYBILL_SMTP_LISTEN: '127.0.0.1:0', WAYBILL_HTTP_LISTEN: '127.0.0.1:0' },
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
}

function assertStdout(
  child: ChildProcess,
): asserts child is ChildProcess & { stdout: NodeJS.ReadableStream } {
  if (child.stdout === null) throw new Error('the output of the server is read');
}

/** Takes connections and says nothing: every attempt stays under way. */
async function silentServer(): Promise<{ server: Server; port: number; connections(): number }> {
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    socket.on('error', () => {});
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a port was asked for');
  return { server, port: address.port, connections: () => count };
}

function relayOf(supervisor: number): number {
  const found = readdirSync('/proc').find((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const [, parent] = /\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
      return (
        Number(parent) === supervisor && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('app-relay')
      );
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new Error('the relay process is not there');
  return Number(found);
}

function rssMb(pid: number): number {
  const [, kb] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kb) / 1024);
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
