/** Stories as Exim logs them, with and without what `log_selector` adds. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { skipWithoutTestdata, testdataFolder } from '../../test/support/environment.ts';
import { counts, type ImportWorld, newImportWorld } from '../../test/support/import-world.ts';
import { exim } from './formats/exim.ts';

let world: ImportWorld;
beforeEach(() => {
  world = newImportWorld();
});
afterEach(() => world.close());

const imported = (log: string, zone = 'UTC') => world.import(exim, [world.file('mainlog', log)], { zone });
test('a mail with everything that can be logged about it', async () => {
  const summary = await imported(`
2026-11-20 10:00:00.123 +0100 [4711] 1tDkQm-000000001Ab-0XyZ <= app@acme.test H=client.example.com (helo.example) [192.0.2.10]:40000 I=[192.0.2.1]:587 P=esmtpsa X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=no A=plain:app S=1234 RT=0.1s id=m1@acme.test T="Gr\\"u\\"sse" from <app@acme.test> for jane@example.org bob@example.net list@acme.test
2026-11-20 10:00:01.000 +0100 [4712] 1tDkQm-000000001Ab-0XyZ => jane@example.org F=<app@acme.test> P=<app@acme.test> R=dnslookup T=remote_smtp S=1400 H=mx.example.org [198.51.100.5]:25 X=TLS1.3:X:256 CV=yes C="250 2.0.0 Ok: queued as ABC" QT=1.0s DT=0.5s
2026-11-20 10:00:01.100 +0100 [4712] 1tDkQm-000000001Ab-0XyZ -> june@example.org F=<app@acme.test> R=dnslookup T=remote_smtp H=mx.example.org [198.51.100.5] C="250 2.0.0 Ok: queued as ABC"
2026-11-20 10:00:01.200 +0100 [4712] 1tDkQm-000000001Ab-0XyZ ** bob@example.net F=<app@acme.test> P=<app@acme.test> R=dnslookup T=remote_smtp H=mx.example.net [198.51.100.6]:25 X=TLS: SMTP error from remote mail server after RCPT TO:<bob@example.net>: 550 5.1.1 <bob@example.net>: User unknown
2026-11-20 10:00:01.300 +0100 [4712] 1tDkQm-000000001Ab-0XyZ => list <list@acme.test> F=<app@acme.test> R=localuser T=local_delivery S=1500 QT=1s DT=0s
2026-11-20 10:00:01.300 +0100 [4712] 1tDkQm-000000001Ab-0XyZ Completed QT=1s
`);
  assert.deepEqual(counts(summary), [1, 4, 3, 0, 1, 0, 0]);
  assert.deepEqual(world.stories(), [
    'app@acme.test > jane@example.org: accepted delivered',
    'app@acme.test > june@example.org: accepted delivered',
    'app@acme.test > bob@example.net: accepted failed',
    'app@acme.test > list@acme.test: accepted delivered',
  ]);
  const [accepted, delivered, , , , failed] = world.events();
  assert.equal(new Date(accepted?.at ?? 0).toISOString(), '2026-11-20T09:00:00.123Z');
  const { subject, messageIdField, origin, protocol, authenticated, contentBytes } = accepted?.mail ?? {};
  assert.deepEqual(
    [subject, messageIdField, origin, protocol, authenticated, contentBytes],
    ['Gr"u"sse', 'm1@acme.test', '192.0.2.10', 'ESMTPSA', true, 1234],
  );
  assert.deepEqual(
    [delivered?.delivery.remoteMta, delivered?.delivery.remoteMtaAddress],
    ['mx.example.org', '198.51.100.5'],
  );
  assert.deepEqual([delivered?.delivery.replyCode, delivered?.status?.durationMs], [250, 500]);
  assert.deepEqual(
    [failed?.delivery.reason, failed?.delivery.replyCode, failed?.status?.stage],
    ['bounce', 550, 'rcpt'],
  );
});

test('deferred, retried, and in the end too old; a bounce of its own', async () => {
  const summary = await imported(`
2026-11-01 08:00:00 1LMDw5-0004gC-8m <= app@acme.test U=app P=local S=500
2026-11-01 08:00:01 1LMDw5-0004gC-8m == user@example.com R=dnslookup T=remote_smtp defer (110): Connection timed out
2026-11-01 08:00:02 1LMDw5-0004gC-8m H=mx.example.com [198.51.100.7] Connection timed out
2026-11-01 08:30:01 1LMDw5-0004gC-8m == user@example.com R=dnslookup T=remote_smtp defer (-44) H=mx.example.com [198.51.100.7]: SMTP error from remote mail server after RCPT TO:<user@example.com>: 451 4.7.1 Greylisted, try again later
2026-11-05 08:30:01 1LMDw5-0004gC-8m == user@example.com routing defer (-51): retry time not reached
2026-11-05 08:30:01 1LMDw5-0004gC-8m ** user@example.com: retry timeout exceeded
2026-11-05 08:30:01 1LMDw6-0004gD-9n <= <> R=1LMDw5-0004gC-8m U=Debian-exim P=local S=1500
2026-11-05 08:30:01 1LMDw5-0004gC-8m Completed
2026-11-05 08:30:02 1LMDw6-0004gD-9n => app <app@acme.test> R=localuser T=mail_spool
2026-11-05 08:30:02 1LMDw6-0004gD-9n Completed
2026-11-05 09:00:00 1LMDw7-0004gE-0p <= app@acme.test U=app P=local S=500
2026-11-05 09:00:01 1LMDw7-0004gE-0p == a@example.com R=dnslookup T=remote_smtp defer (111): Connection refused
2026-11-05 09:10:00 1LMDw7-0004gE-0p removed by root
2026-11-05 09:10:00 1LMDw7-0004gE-0p Completed
`);
  assert.deepEqual([...counts(summary), summary.canceled, summary.deferrals], [3, 3, 1, 0, 0, 1, 0, 1, 4]);
  assert.deepEqual(world.stories(), [
    'app@acme.test > user@example.com: accepted deferred deferred deferred expired',
    ' > app@acme.test: accepted delivered',
    'app@acme.test > a@example.com: accepted deferred canceled',
  ]);
  const deferred = world.events().filter(({ type }) => type === 'deferred');
  assert.deepEqual(deferred.map(({ delivery }) => delivery.reason).slice(0, 2), ['connect', 'greylisted']);
});

test('through syslog, with and without a time of its own; files, pipes, black holes', async () => {
  const summary = await imported(`
Nov 20 10:00:00 mx1 exim[99]: 2026-11-20 10:00:00 1tDkQm-0001Ab-0X <= app@acme.test U=app P=local S=500
Nov 20 10:00:01 mx1 exim[99]: 2026-11-20 10:00:01 1tDkQm-0001Ab-0X => |/usr/bin/vacation ann <ann@acme.test> R=userforward T=address_pipe
Nov 20 10:00:01 mx1 exim4[99]: 1tDkQm-0001Ab-0X => /var/mail/arch <arch@acme.test> R=system T=address_file
Nov 20 10:00:01 mx1 exim4[99]: 1tDkQm-0001Ab-0X => :blackhole: <nobody@acme.test> R=black
Nov 20 10:00:01 mx1 exim4[99]: 1tDkQm-0001Ab-0X *> off@example.org R=dnslookup T=remote_smtp
Nov 20 10:00:01 mx1 exim4[99]: 1tDkQm-0001Ab-0X Completed
Nov 20 10:00:01 mx1 sshd[1]: session opened
`);
  assert.deepEqual(counts(summary), [1, 3, 3, 0, 0, 0, 0]);
  assert.deepEqual(
    new Set(world.events().map(({ delivery }) => delivery.forwardPath)),
    new Set(['ann@acme.test', 'arch@acme.test', 'nobody@acme.test']),
  );
});

test('refused recipients', async () => {
  const log =
    '2013-06-10 18:33:32 [10099] H=(yakult.com.tw) [202.132.70.178]:3755 I=[1.2.3.4]:25 F=a@b.test rejected RCPT dir@ml3.test: relay not permitted\n';
  const summary = await imported(log + log);
  assert.deepEqual([summary.mails, summary.deliveries, summary.rejected], [0, 0, 1]);
  assert.deepEqual(world.stories(), ['a@b.test > dir@ml3.test: rejected']);
});

test('what others collected', { skip: skipWithoutTestdata('mta-logs-a') }, async () => {
  const folder = join(testdataFolder('mta-logs-a'), 'fail2ban');
  const log = ['exim', 'exim-spam'].map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
  const summary = await imported(log);
  assert.deepEqual([summary.mails, summary.unparsed], [0, 0]);
  assert.ok(summary.rejected >= 7, JSON.stringify(summary));
});
