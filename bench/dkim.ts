/**
 * What a DKIM signature costs, without a relay around it; prints one JSON object.
 *
 *   node bench/dkim.ts [--sizes 4096,65536] [--mails 3000] [--parallel 20]
 *
 * `threads`: the relay's own signer, which reads the keys in use from a store and signs in its thread, many mails at
 * a time. `loop`: the share of the time in which the event loop was busy with it. `oneCore`: the same work, one mail
 * after the other on the loop alone. `canonical`: all of it but the signing.
 */
import { sign as signBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { installationKey } from '../src/base/secret.ts';
import { signableContent, signedField, unsignedField } from '../src/protocol/dkim/dkim.ts';
import { type DkimAlgorithm, dkimAlgorithms } from '../src/protocol/dkim/record.ts';
import { prepare } from '../src/relay/prepare.ts';
import { createSigner } from '../src/relay/sign.ts';
import { openStore } from '../src/store/store.ts';
import { type DkimKeyPair, generateDkimKeyPair, openTenants } from '../src/tenants/tenants.ts';

const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: '4096,65536' },
    mails: { type: 'string', default: '3000' },
    parallel: { type: 'string', default: '20' },
  },
});
const mails = Number(options.mails);
const parallel = Number(options.parallel);
const domain = 'acme.test';

interface Measured {
  perSecond: number;
  cpuMicrosecondsPerMail: number;
  loop: number;
}

async function measure(mailsAtOnce: number, work: () => unknown): Promise<Measured> {
  for (let n = 0; n < 100; n += 1) await work();
  const [startedAt, cpu, loop] = [performance.now(), process.cpuUsage(), performance.eventLoopUtilization()];
  let left = mails;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      await work();
    }
  };
  await Promise.all(Array.from({ length: mailsAtOnce }, worker));
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    perSecond: Math.round(mails / seconds),
    cpuMicrosecondsPerMail: Math.round((user + system) / mails),
    loop: Math.round(performance.eventLoopUtilization(loop).utilization * 100) / 100,
  };
}

function mailOf(bytes: number) {
  const line = 'A line of text as mail has them, some seventy characters long or so.\r\n';
  const fields = `From: app@${domain}\r\nTo: someone@example.org\r\nSubject: Hello\r\nMIME-Version: 1.0\r\n\r\n`;
  const submission = {
    ...{ tenantId: 1, streamId: 10_001, trustedNetwork: false, origin: '127.0.0.1', greetingName: 'client' },
    ...{
      transport: 'smtp' as const,
      protocol: 'ESMTPA',
      reversePath: '',
      forwardPaths: ['someone@example.org'],
    },
    content: Buffer.from(fields + line.repeat(Math.ceil(bytes / line.length))),
  };
  const made = prepare(submission, {
    mailId: 2 ** 40,
    acceptedAt: systemClock.now(),
    hostname: 'relay.example.net',
  });
  if (!made.ok) throw new Error(made.privateReason);
  return { content: made.content, facts: { ...made.facts, sendingDomain: domain } };
}

function signHere(content: Buffer, pairs: readonly DkimKeyPair[]): string[] {
  const signable = signableContent(content);
  return pairs.map(({ algorithm, privateKey }) => {
    const field = unsignedField(signable, { algorithm, domain, selector: 'wb202611a', signedAt: 0 });
    return signedField(
      field,
      signBytes(algorithm === 'rsa-sha256' ? 'sha256' : null, field.input, privateKey),
    );
  });
}

async function measureSize(sizeBytes: number, algorithms: readonly DkimAlgorithm[], directory: string) {
  const pairs = await Promise.all(algorithms.map(generateDkimKeyPair));
  const store = openStore(join(directory, `${sizeBytes}-${algorithms.join('-')}.sqlite`));
  const tenants = openTenants(store, installationKey(Buffer.alloc(32)), systemClock);
  tenants.createTenant({ name: 'acme' });
  const own = { tenantId: 1, domain };
  tenants.addSendingDomain(1, domain);
  tenants.addDkimKeys(own, pairs);
  tenants.rotateDkimKeys(own, 1);
  const sign = createSigner(tenants);
  const { facts, content } = mailOf(sizeBytes);
  const measured = {
    sizeBytes,
    algorithms,
    threads: await measure(parallel, () => sign(facts, content)),
    oneCore: await measure(1, () => signHere(content, pairs)),
    canonical: await measure(1, () => signableContent(content)),
  };
  store.close();
  return measured;
}

const directory = mkdtempSync(join(tmpdir(), 'waybill-bench-dkim-'));
const runs = [];
for (const size of options.sizes.split(',').map(Number)) {
  const one = dkimAlgorithms.map((algorithm) => [algorithm]);
  for (const algorithms of [...one, dkimAlgorithms])
    runs.push(await measureSize(size, algorithms, directory));
}
rmSync(directory, { recursive: true });
const machine = { cores: cpus().length, cpu: cpus()[0]?.model ?? '' };
process.stdout.write(
  `${JSON.stringify({ machine, node: process.version, mails, parallel, runs }, null, 1)}\n`,
);
