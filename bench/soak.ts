/**
 * Full load for minutes, with the relay, the office or everything ended by SIGKILL at random moments. At the end it is
 * drained, and each accepted forward-path must have ended exactly once: accepted = delivered + failed + expired +
 * canceled + suppressed; what was answered 250 is in the ledger, and the counters count what the events say.
 *
 *   npm run soak -- [--minutes 10] [--seed N] [--clients 8] [--mails 500000]
 *   npm run soak -- --office-kills 50 [--minutes 10]    kills the office alone, at random moments of its drains, and ends
 *                                                       once it was killed that often, or after the minutes
 *
 * Loopback only, in a data directory of its own. Prints a line every few seconds and one JSON object at the end;
 * exit code 1 if anything differs, and then the data directory is kept.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import type { Random } from '../src/base/random.ts';
import { startWaybill, type Waybill } from '../test/support/waybill.ts';
import { accountFor } from './soak/account.ts';
import { type Accepted, runClient } from './soak/client.ts';
import { type BadSink, startBadSink } from './soak/sink.ts';

interface Arguments {
  minutes: number;
  seed: number;
  clients: number;
  mails: number;
  /** 0: relay, office and everything are killed in turn until the time is over. */
  officeKills: number;
}

/** Of this run: what was seen so far. */
interface Run extends Arguments {
  random: Random;
  waybill: Waybill;
  sink: BadSink;
  accepted: Accepted[];
  unanswered: number;
  refused: Map<string, number>;
  kills: Record<Victim, number>;
  /** Kills of the office that left a batch begun. */
  batchesBroken: number;
  canceled: number;
  startedAt: number;
}

const victims = ['relay', 'office', 'all'] as const;
type Victim = (typeof victims)[number];

const progressMs = 5_000;
const killMs = { least: 3_000, most: 10_000 };
/** After the writer was seen to have begun a batch. */
const officeKillMs = { most: 150, look: 5 };
const cancelMs = 7_000;
const drainMs = 300_000;

function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      clients: { type: 'string', default: '8' },
      mails: { type: 'string', default: '500000' },
      'office-kills': { type: 'string', default: '0' },
    },
  });
  const between = (name: keyof typeof values, least: number, most: number) => {
    const value = Number(values[name]);
    if (!(value >= least && value <= most)) throw new Error(`--${name} takes ${least} to ${most}`);
    return value;
  };
  return {
    minutes: between('minutes', 0.1, 24 * 60),
    seed: between('seed', 0, 2 ** 32 - 1),
    clients: between('clients', 1, 200),
    mails: between('mails', 1, 5e6),
    officeKills: between('office-kills', 0, 10_000),
  };
}

/** Mulberry32: the same choices for the same seed. */
function generator(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const pause = (ms: number, signal?: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });

async function killAgainAndAgain(run: Run, stop: AbortSignal): Promise<void> {
  const { random, waybill, kills } = run;
  for (;;) {
    await pause(killMs.least + random() * (killMs.most - killMs.least), stop);
    if (stop.aborted) return;
    const victim = victims[Math.floor(random() * victims.length)] ?? 'relay';
    if (victim === 'all') {
      await waybill.killAll();
      await waybill.restart();
    } else if (!(await killOne(waybill, victim))) continue;
    kills[victim] += 1;
  }
}

/** The row of the ledger's cursor tells of a batch that was begun: it outlives the office. */
async function killOfficeInDrains(run: Run, stop: AbortController): Promise<void> {
  const store = new DatabaseSync(join(run.waybill.dataDir, 'waybill.sqlite'), { readOnly: true });
  const cursor = store.prepare('SELECT pending_to FROM ledger_cursor');
  const begun = () => cursor.get()?.['pending_to'] !== null;
  try {
    while (!stop.signal.aborted && run.kills.office < run.officeKills) {
      while (!stop.signal.aborted && !begun()) await pause(officeKillMs.look);
      await pause(run.random() * officeKillMs.most);
      if (!(await killOne(run.waybill, 'office'))) {
        await pause(officeKillMs.look);
        continue;
      }
      run.kills.office += 1;
      if (begun()) run.batchesBroken += 1;
      await officeIsBack(run.waybill, stop.signal);
    }
  } finally {
    store.close();
    stop.abort();
  }
}

async function officeIsBack(waybill: Waybill, stop: AbortSignal): Promise<void> {
  const answers = () =>
    fetch(`${waybill.http}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!stop.aborted && !(await answers())) await pause(officeKillMs.look);
}

/** False if it is just being started again. */
async function killOne(waybill: Waybill, victim: Exclude<Victim, 'all'>): Promise<boolean> {
  const pids = await waybill.childPids().catch(() => null);
  if (!pids || pids[victim] <= 0) return false;
  process.kill(pids[victim], 'SIGKILL');
  return true;
}

/** What waits for one of the domains is taken out of the queue now and then. */
async function cancelNowAndThen(run: Run, stop: AbortSignal): Promise<void> {
  for (let round = 0; ; round += 1) {
    await pause(cancelMs, stop);
    if (stop.aborted) return;
    const domain = `d${round % 10}.test`;
    const { code, stdout } = await run.waybill.cli(
      'queue',
      'cancel',
      '--destination',
      domain,
      '--yes',
      '--json',
    );
    if (code === 0) run.canceled += (JSON.parse(stdout) as { matched?: number }).matched ?? 0;
  }
}

function progress(run: Run, text: string): void {
  const seconds = Math.round((Date.now() - run.startedAt) / 1000);
  const { accepted, sink, unanswered, kills } = run;
  const killed = victims.map((victim) => `${victim} ${kills[victim]}`).join(', ');
  console.log(
    `${seconds} s: ${text}; accepted ${accepted.length}, unanswered ${unanswered}, arrived ${sink.arrived.size}, killed: ${killed}`,
  );
}

async function load(run: Run, tenant: { smtp: { username: string; password: string } }): Promise<void> {
  const stop = new AbortController();
  let number = 0;
  const stopAtBound = () => {
    if (run.accepted.length >= run.mails) stop.abort();
  };
  const client = () =>
    runClient(
      {
        address: () => run.waybill.smtp,
        credentials: tenant.smtp,
        sender: 'app@acme.test',
        random: run.random,
        nextNumber: () => ++number,
        onAccepted: (mail) => {
          run.accepted.push(mail);
          stopAtBound();
        },
        onUnanswered: () => {
          run.unanswered += 1;
        },
        onRefused: (reply) => run.refused.set(reply.trim(), (run.refused.get(reply.trim()) ?? 0) + 1),
      },
      stop.signal,
    );
  const ticker = setInterval(() => progress(run, 'load'), progressMs);
  const timer = setTimeout(() => stop.abort(), run.minutes * 60_000);
  try {
    await Promise.all([
      ...Array.from({ length: run.clients }, client),
      run.officeKills > 0 ? killOfficeInDrains(run, stop) : killAgainAndAgain(run, stop.signal),
      cancelNowAndThen(run, stop.signal),
    ]);
  } finally {
    clearTimeout(timer);
    clearInterval(ticker);
  }
}

/** Until the store holds no mail and no event any more: everything has ended and is in the ledger. */
async function drain(run: Run): Promise<void> {
  const store = new DatabaseSync(join(run.waybill.dataDir, 'waybill.sqlite'), { readOnly: true });
  const left = () =>
    store
      .prepare('SELECT (SELECT count(*) FROM mails) AS mails, (SELECT count(*) FROM outbox) AS events')
      .get();
  try {
    for (let waitedMs = 0; ; waitedMs += 1_000) {
      const { mails, events } = left() as { mails: number; events: number };
      if (mails === 0 && events === 0) return;
      if (waitedMs % progressMs === 0) progress(run, `drain, ${mails} mails and ${events} events left`);
      if (waitedMs >= drainMs)
        throw new Error(`${mails} mails and ${events} events are left after the drain`);
      await pause(1_000);
    }
  } finally {
    store.close();
  }
}

/** Every projection against the events, hour by hour, the queue of the store, and the chain of batches. */
async function prove({ cli }: Waybill): Promise<string[]> {
  const { code, stdout, stderr } = await cli('ledger', 'verify', '--chain', '--json');
  return code === 0 ? [] : [`ledger verify --chain: ${stdout}${stderr}`];
}

async function main(): Promise<number> {
  const given = readArguments();
  const random = generator(given.seed);
  const cleanups: (() => unknown)[] = [];
  const sink = await startBadSink(random);
  const waybill = await startWaybill(
    { after: (cleanup: () => unknown) => cleanups.push(cleanup) },
    {
      environment: {
        WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}?tls=none`,
        WAYBILL_RETRY_SCHEDULE: '200ms,400ms,800ms,1600ms',
        WAYBILL_LOG_LEVEL: 'error',
        WAYBILL_NOTICES_TO: 'none',
      },
    },
  );
  const run: Run = {
    ...given,
    ...{ random, waybill, sink, accepted: [], unanswered: 0, refused: new Map() },
    ...{ kills: { relay: 0, office: 0, all: 0 }, batchesBroken: 0, canceled: 0, startedAt: Date.now() },
  };
  console.log(`seed ${given.seed}, ${given.minutes} minutes, data in ${waybill.dataDir}`);
  try {
    const tenant = await waybill.createTenant('acme', 'acme.test');
    await load(run, tenant);
    sink.calm();
    await drain(run);
    const proof = await prove(waybill);
    const exitCode = await waybill.stop();
    const seen = { tenantId: tenant.tenant.id, accepted: run.accepted, arrived: sink.arrived };
    const { totals, unanswered, differences } = await accountFor(seen, join(waybill.dataDir, 'ledger'));
    differences.push(...proof);
    if (exitCode !== 0) differences.push(`the stop ended with exit code ${exitCode}`);
    console.log(JSON.stringify(result(run, { totals, unanswered, differences })));
    if (differences.length === 0) for (const cleanup of cleanups) await cleanup();
    return differences.length === 0 ? 0 : 1;
  } catch (fault) {
    progress(run, `failed; the data is in ${waybill.dataDir}`);
    console.error(fault, waybill.log().split('\n').slice(-20).join('\n'));
    await waybill.killAll().catch(() => {});
    return 1;
  } finally {
    await sink.close();
  }
}

interface Outcome {
  totals: Record<string, number>;
  unanswered: number;
  differences: string[];
}

function result(run: Run, { totals, unanswered, differences }: Outcome) {
  const { seed, minutes, accepted, kills, sink, refused } = run;
  return {
    ok: differences.length === 0,
    ...{ seed, minutes, mailsAccepted: accepted.length, events: totals },
    ...{
      kills,
      batchesBroken: run.batchesBroken,
      unansweredMails: run.unanswered,
      acceptedWithoutAnswer: unanswered,
    },
    arrivedTwice: [...sink.arrived.values()].filter((times) => times > 1).length,
    ...{ refused: Object.fromEntries(refused), differences },
  };
}

process.exitCode = await main();
