import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect, createServer } from 'node:tls';
import { type Clock, manualClock, systemClock } from '../base/clock.ts';
import { type Certificate, loadCertificate } from './certificate.ts';

async function newDirectory(context: TestContext): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'certificate-'));
  context.after(() => rm(parent, { recursive: true }));
  return join(parent, 'tls');
}

function loadOrMake(directory: string, hostname: string, clock: Clock): Promise<Certificate> {
  return loadCertificate({ directory, certificate: null, key: null }, hostname, clock);
}

const now = Date.UTC(2026, 10, 22);

test('a made certificate names the host, fits its key and lasts ten years', async (context) => {
  const { key, cert } = await loadOrMake(await newDirectory(context), 'relay.test', manualClock(now));
  const certificate = new X509Certificate(cert);
  assert.equal(certificate.checkHost('relay.test'), 'relay.test');
  assert.equal(certificate.checkHost('other.test'), undefined);
  assert.equal(certificate.verify(certificate.publicKey), true);
  assert.equal(certificate.checkPrivateKey(createPrivateKey(key)), true);
  assert.equal(certificate.ca, false);
  assert.equal(certificate.subject, 'CN=relay.test');
  assert.equal(certificate.validFromDate.getTime(), now);
  assert.equal(certificate.validToDate.toISOString(), '2036-11-22T00:00:00.000Z');
});

test('a certificate that ends after 2049 is written as RFC 5280 asks', async (context) => {
  const clock = manualClock(Date.UTC(2045, 0, 1));
  const { cert } = await loadOrMake(await newDirectory(context), 'relay.test', clock);
  assert.equal(new X509Certificate(cert).validToDate.toISOString(), '2055-01-01T00:00:00.000Z');
});

test('the next start uses it again, and only the owner may read it', async (context) => {
  const directory = await newDirectory(context);
  const first = await loadOrMake(directory, 'relay.test', manualClock(now));
  assert.deepEqual(await loadOrMake(directory, 'relay.test', manualClock(now)), first);
  assert.deepEqual(await readdir(directory), ['self-made.pem']);
  assert.equal((await stat(join(directory, 'self-made.pem'))).mode & 0o777, 0o600);
});

test('another name, a near end or a damaged file make a new one', async (context) => {
  const directory = await newDirectory(context);
  const clock = manualClock(now);
  const first = await loadOrMake(directory, 'relay.test', clock);
  const renamed = await loadOrMake(directory, 'other.test', clock);
  assert.notDeepEqual(renamed, first);
  clock.set(Date.UTC(2036, 0, 1));
  const renewed = await loadOrMake(directory, 'other.test', clock);
  assert.notDeepEqual(renewed, renamed);
  const file = join(directory, 'self-made.pem');
  await writeFile(file, (await readFile(file, 'utf8')).slice(0, 300));
  assert.notDeepEqual(await loadOrMake(directory, 'other.test', clock), renewed);
});

test('the files of the operator come first, and none is made', async (context) => {
  const directory = await newDirectory(context);
  const { key, cert } = await loadOrMake(directory, 'relay.test', manualClock(now));
  const files = {
    directory: join(directory, 'no'),
    certificate: join(directory, 'c'),
    key: join(directory, 'k'),
  };
  await writeFile(files.certificate, cert);
  await writeFile(files.key, key);
  assert.deepEqual(await loadCertificate(files, 'relay.test', manualClock(now)), { key, cert });
  assert.equal((await readdir(directory)).includes('no'), false);
  await assert.rejects(loadCertificate({ ...files, key: null }, 'relay.test', systemClock), /named together/);
  await rm(files.key);
  await assert.rejects(loadCertificate(files, 'relay.test', systemClock), /ENOENT/);
});

test('a long name is served too', async (context) => {
  const hostname = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.test`;
  const { cert } = await loadOrMake(await newDirectory(context), hostname, manualClock(now));
  assert.equal(new X509Certificate(cert).checkHost(hostname), hostname);
});

test('a client that trusts it can connect', async (context) => {
  const { key, cert } = await loadOrMake(await newDirectory(context), 'localhost', systemClock);
  const server = createServer({ key, cert }, (socket) => socket.end('hello')).listen(0, '127.0.0.1');
  context.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({ host: '127.0.0.1', port, ca: cert, servername: 'localhost' });
  await once(client, 'secureConnect');
  assert.equal(client.authorized, true);
  client.destroy();
});
