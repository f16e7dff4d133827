/**
 * Real mail servers, each a private instance in a folder of its own: it listens on loopback, takes mail for
 * `peer.net` into one maildir, and hands mail for `onward.net` to a port of this machine.
 *
 * Local parts play a part: `unknown` is refused for good, `full` for now, `greylisted` once; mail for `gone` is taken,
 * and its reverse-path gets a DSN.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PeerName, peerCommand } from './environment.ts';
import { freePort } from './free-port.ts';
import { startGreylister } from './greylister.ts';
import type { Identity } from './script-server.ts';
import { until } from './until.ts';

export interface MailServer {
  port: number;
  /** Contents that arrived for `peer.net`, with what the server put on top, each line ended by CRLF. */
  mails(): Buffer[];
  /** What it says of itself; for messages of failed tests. */
  log(): string;
  stop(): Promise<void>;
}

export interface MailServerWish {
  identity: Identity;
  /** Where mail for `onward.net` goes. */
  onwardPort: number;
}

interface Place {
  folder: string;
  mail: string;
  port: number;
  onwardPort: number;
  /** Of the maildir: somebody else than root. */
  owner: number;
}

interface Kind {
  peer: PeerName;
  logFile: string;
  /** Writes the configuration; returns the command that stays in the foreground. */
  prepare(place: Place): string[];
  /** The command that ends it, where the one in the foreground only waits for another. */
  stop?(folder: string): string[];
}

/** Nobody, for a test that runs as root: neither server delivers as root. */
const nobody = 65_534;

const startMs = 120_000;

export const startPostfix = (wish: MailServerWish): Promise<MailServer> =>
  startGreylister().then((greylister) => start(postfixKind(greylister.port), wish, () => greylister.close()));

const postfixKind = (policyPort: number): Kind => ({
  peer: 'postfix',
  logFile: 'log/mail.log',
  prepare: postfix(policyPort),
  stop: (folder) => [peerCommand('postfix'), '-c', join(folder, 'etc'), 'stop'],
});

export const startExim = (wish: MailServerWish): Promise<MailServer> =>
  start({ peer: 'exim4', logFile: 'log/mainlog', prepare: exim }, wish, () => Promise.resolve());

async function start(kind: Kind, wish: MailServerWish, alsoStop: () => Promise<void>): Promise<MailServer> {
  const folder = mkdtempSync(join(tmpdir(), `${kind.peer}-`));
  const owner = process.getuid?.() || nobody;
  const place = { folder, mail: join(folder, 'mail'), port: await freePort(), owner, ...wish };
  chmodSync(folder, 0o755);
  for (const name of ['log', 'spool', 'data', 'mail', 'etc']) mkdirSync(join(folder, name), { mode: 0o755 });
  chownSync(place.mail, owner, owner);
  writeFileSync(join(folder, 'tls.pem'), `${wish.identity.key}\n${wish.identity.cert}`, { mode: 0o644 });
  const [command = '', ...words] = asRoot(kind.prepare(place));
  const child = spawn(command, words, { stdio: 'ignore', detached: true });
  await until('the server listens', () => answers(place.port, child), startMs);
  return {
    port: place.port,
    mails: () => maildir(place.mail),
    log: () => readIfThere(join(folder, kind.logFile)),
    async stop() {
      await end(child, kind.stop?.(folder) ?? ['kill', '-TERM', String(child.pid)]);
      await alsoStop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function asRoot(words: string[]): string[] {
  return process.getuid?.() === 0 ? words : ['sudo', '-n', ...words];
}

async function answers(port: number, child: ChildProcess): Promise<boolean> {
  assert.equal(child.exitCode, null, 'the server ended while it started');
  const socket = connect(port, '127.0.0.1');
  const [came] = await Promise.race([once(socket, 'data'), once(socket, 'close')]).catch(() => [false]);
  socket.destroy();
  return Buffer.isBuffer(came);
}

async function end(child: ChildProcess, stop: string[]): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  const [command = '', ...words] = asRoot(stop);
  execFileSync(command, words, { stdio: 'ignore' });
  await ended;
}

function maildir(folder: string): Buffer[] {
  const files = ['new', 'inbox/new'].map((name) => join(folder, name)).filter(existsSync);
  return files.flatMap((path) =>
    readdirSync(path).map((name) =>
      Buffer.from(readFileSync(join(path, name), 'latin1').replaceAll(/\r?\n/g, '\r\n'), 'latin1'),
    ),
  );
}

function readIfThere(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** Of the programs that are needed: public or private, limit, program. */
const services = [
  '127.0.0.1:PORT inet n - n - - smtpd',
  ...['pickup 1', 'cleanup 0', 'qmgr 1', 'flush 0'].map(
    (service) => `${service.split(' ')[0]} unix n - n - ${service.split(' ')[1]} ${service.split(' ')[0]}`,
  ),
  ...['tlsmgr', 'anvil', 'scache', 'verify'].map((name) => `${name} unix - - n - 1 ${name}`),
  ...['bounce', 'defer', 'trace'].map((name) => `${name} unix - - n - 0 bounce`),
  ...['proxymap', 'smtp', 'error', 'discard'].map((name) => `${name} unix - - n - - ${name}`),
  // It writes as the owner of the maildir.
  'virtual unix - n n - - virtual',
  'rewrite unix - - n - - trivial-rewrite',
  'retry unix - - n - - error',
  'postlog unix-dgram n - n - 1 postlogd',
];

function postfix(policyPort: number): Kind['prepare'] {
  return ({ folder, mail, port, onwardPort, owner }) => {
    const config = join(folder, 'etc');
    chownSync(join(folder, 'data'), idOf('postfix'), idOf('postfix'));
    writeFileSync(
      join(config, 'main.cf'),
      `compatibility_level = 3.6
queue_directory = ${folder}/spool
data_directory = ${folder}/data
maillog_file = ${folder}/log/mail.log
maillog_file_prefixes = ${folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = postfix.peer.net
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
mynetworks = 127.0.0.0/8
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtputf8_enable = yes
smtpd_tls_security_level = may
smtpd_tls_chain_files = ${folder}/tls.pem
smtpd_peername_lookup = no
smtp_tls_security_level = encrypt
virtual_mailbox_domains = peer.net
virtual_mailbox_base = ${mail}
virtual_mailbox_maps = static:inbox/
virtual_uid_maps = static:${owner}
virtual_gid_maps = static:${owner}
virtual_minimum_uid = 1
relay_domains = onward.net
transport_maps = inline:{
  { onward.net = smtp:[127.0.0.1]:${onwardPort} },
  { gone@peer.net = error:5.1.1 The mailbox is gone } }
smtpd_reject_unlisted_recipient = no
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions =
  check_recipient_access inline:{
    { unknown@peer.net = 550 5.1.1 No such user here },
    { full@peer.net = 452 4.2.2 Mailbox is full } },
  check_policy_service inet:127.0.0.1:${policyPort}
message_size_limit = 52428800
mailbox_size_limit = 0
virtual_mailbox_limit = 0
`,
    );
    writeFileSync(
      join(config, 'master.cf'),
      services
        .map((line) => `${line}\n`)
        .join('')
        .replace('PORT', String(port)),
    );
    return [peerCommand('postfix'), '-c', config, 'start-fg'];
  };
}

function idOf(account: string): number {
  return Number(execFileSync('id', ['-u', account], { encoding: 'utf8' }));
}

function exim({ folder, mail, port, onwardPort }: Place): string[] {
  const program = peerCommand('exim4');
  const account = idOf('Debian-exim');
  for (const name of ['spool', 'log', 'mail']) chownSync(join(folder, name), account, account);
  const greylist = `${folder}/spool/greylisted-once`;
  const config = join(folder, 'etc', 'exim.conf');
  writeFileSync(
    config,
    `exim_path = ${program}
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
pid_file_path = ${folder}/exim.pid
daemon_smtp_ports = ${port}
local_interfaces = 127.0.0.1
primary_hostname = exim.peer.net
keep_environment =
host_lookup =
rfc1413_hosts =
tls_advertise_hosts = *
tls_certificate = ${folder}/tls.pem
smtputf8_advertise_hosts = *
smtp_accept_queue_per_connection = 0
message_size_limit = 50M
acl_smtp_rcpt = check_rcpt
deliver_drop_privilege
begin acl
check_rcpt:
  deny    local_parts = unknown
          message = 550 5.1.1 No such user here
  defer   local_parts = full
          message = 452 4.2.2 Mailbox is full
  defer   local_parts = greylisted
          condition = \${run{/bin/sh -c "test ! -e ${greylist} && touch ${greylist}"}{yes}{no}}
          message = 450 4.7.1 Greylisted, come again
  accept  domains = peer.net : onward.net
begin routers
onward:
  driver = manualroute
  domains = onward.net
  transport = onward
  route_list = * 127.0.0.1
  self = send
gone:
  driver = redirect
  local_parts = gone
  allow_fail
  data = :fail: The mailbox is gone
here:
  driver = accept
  transport = here
begin transports
onward:
  driver = smtp
  port = ${onwardPort}
  allow_localhost
  hosts_require_tls = *
  tls_verify_hosts =
  tls_try_verify_hosts =
here:
  driver = appendfile
  directory = ${mail}
  directory_mode = 0755
  maildir_format
  mode = 0644
  user = Debian-exim
`,
  );
  return [program, '-C', config, '-bdf'];
}
