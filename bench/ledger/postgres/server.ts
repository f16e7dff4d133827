/**
 * PostgreSQL 15 as Debian packs it, for one process alone: a cluster in a folder of its own, reached by a socket in that
 * folder. It ends with the process that started it, however that ends.
 *
 *   apt-get install postgresql-15     (with `create_main_cluster = false` in createcluster.conf nothing starts by itself)
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';

const programs = '/usr/lib/postgresql/15/bin';
const port = 5432; // a part of the socket's name, nothing listens there
const startMs = 60_000;

/** What an engineer sets for 2 GB of memory, two cores and an SSD. */
const settings = {
  shared_buffers: '1GB',
  work_mem: '64MB',
  maintenance_work_mem: '256MB',
  effective_cache_size: '1536MB',
  max_connections: '8',
  max_parallel_workers_per_gather: '1',
  random_page_cost: '1.1',
  effective_io_concurrency: '200',
  jit: 'off',
  /** A tenth of the tenants has most of the mail: the plan of one is none for another. */
  plan_cache_mode: 'force_custom_plan',
  default_statistics_target: '500',
  /** A crash may lose the last batches; they would be repeated, and no table would lack half of one. */
  synchronous_commit: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '4GB',
  checkpoint_timeout: '15min',
  timezone: 'UTC',
  listen_addresses: '',
};

export function postgresIsHere(): boolean {
  return existsSync(join(programs, 'initdb'));
}

/** Times as milliseconds, and integers as numbers: they are all below 2^53, or left to the server. */
const types = {
  date: {
    ...{ to: 1184, from: [1184], parse: Date.parse },
    serialize: (ms: number) => new Date(ms).toISOString(),
  },
  bigint: { to: 20, from: [20], parse: Number, serialize: String },
};

export type Sql = postgres.Sql<{ date: number; bigint: number }>;

export interface Server {
  readonly sql: Sql;
  /** With nothing left in its own caches; the machine's page cache may hold the files. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();

/** For whoever has to leave at once. */
export async function stopServers(): Promise<void> {
  await Promise.all([...running].map(ended));
}

export async function startServer(folder: string): Promise<Server> {
  const user = whoRuns();
  if (!existsSync(join(folder, 'PG_VERSION'))) makeCluster(folder, user);
  let child = run(folder, user);
  let sql = await connect(folder);
  const stop = async () => {
    await sql.end({ timeout: 5 });
    await ended(child);
  };
  return {
    get sql() {
      return sql;
    },
    stop,
    restart: async () => {
      await stop();
      child = run(folder, user);
      sql = await connect(folder);
    },
  };
}

type User = { uid: number; gid: number } | undefined;

/** PostgreSQL refuses to run as root: then as the user that its package made. */
function whoRuns(): User {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function makeCluster(folder: string, user: User): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (user) chownSync(folder, user.uid, user.gid);
  const options = ['--encoding=UTF8', '--lc-collate=C', '--lc-ctype=C.UTF-8', '--auth=trust', '-U', 'bench'];
  execFileSync(join(programs, 'initdb'), ['-D', folder, ...options], { ...user, cwd: '/', stdio: 'pipe' });
}

/**
 * In a session of its own, so that Ctrl-C reaches only us; a shell stands between, which stops the server as soon as
 * its own input ends: when we say so, or when we are no more.
 */
function run(folder: string, user: User): ChildProcess {
  const given = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = [join(programs, 'postgres'), '-D', folder, '-k', folder, '-p', String(port), ...given];
  const script = '"$@" </dev/null >>"$0" 2>&1 & read -r _; kill -INT $!; wait $!';
  const child = spawn('sh', ['-c', script, join(folder, 'log'), ...server], {
    ...user,
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
    child.stdin?.end();
  });
}

async function connect(folder: string): Promise<Sql> {
  const deadline = performance.now() + startMs;
  const options = {
    ...{ path: join(folder, `.s.PGSQL.${port}`), username: 'bench', database: 'postgres', max: 1 },
    ...{ max_lifetime: 24 * 3600, backoff: () => 0.05, onnotice: () => undefined, types },
  };
  const sql = postgres(options);
  for (;;) {
    try {
      await sql`SELECT 1`;
      return sql;
    } catch (error) {
      if (performance.now() > deadline) throw new Error(lastWords(folder), { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function lastWords(folder: string): string {
  const log = join(folder, 'log');
  const text = existsSync(log) ? readFileSync(log, 'utf8').slice(-2000) : '';
  return `PostgreSQL did not start in ${folder}\n${text}`;
}
