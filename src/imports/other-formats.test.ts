/** Stories as OpenSMTPD and Haraka log them. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { counts, type ImportWorld, newImportWorld } from '../../test/support/import-world.ts';
import { haraka } from './formats/haraka.ts';
import { opensmtpd } from './formats/opensmtpd.ts';
import type { LogFormat } from './record.ts';

let world: ImportWorld;
beforeEach(() => {
  world = newImportWorld();
});
afterEach(() => world.close());

const imported = (format: LogFormat, log: string) => world.import(format, [world.file('log', log)]);
describe('OpenSMTPD', () => {
  test('since 6.4, with a filter on the way, and a local delivery', async () => {
    const summary = await imported(
      opensmtpd,
      `
Nov 20 06:01:40 mx smtpd[7]: 5df87c903d709659 smtp connected address=192.0.2.10 host=c.example.com
Nov 20 06:01:40 mx smtpd[7]: 5df87c903d709659 smtp authentication user=app result=ok
Nov 20 06:01:40 mx smtpd[7]: 5df87c903d709659 smtp message msgid=3d4c4a42 size=303 nrcpt=2 proto=ESMTP
Nov 20 06:01:40 mx smtpd[7]: 5df87c903d709659 smtp envelope evpid=3d4c4a424797fe79 from=<app@acme.test> to=<ann@example.org>
Nov 20 06:01:40 mx smtpd[7]: 5df87c903d709659 smtp envelope evpid=3d4c4a42d6bbc64f from=<app@acme.test> to=<gil@acme.test>
Nov 20 06:01:40 mx smtpd[7]: 5df87c903d709659 smtp disconnected reason=quit
Nov 20 06:01:40 mx smtpd[7]: 5df87c9250bba470 mda delivery evpid=3d4c4a42d6bbc64f from=<app@acme.test> to=<gil@acme.test> rcpt=<gil@acme.test> user=gil delay=0s result=Ok stat=Delivered
Nov 20 06:01:46 mx smtpd[7]: 5df87c9c42abeddb smtp connected address=127.0.0.1 host=localhost
Nov 20 06:01:46 mx smtpd[7]: 5df87c9c42abeddb smtp message msgid=f6e94209 size=802 nrcpt=1 proto=ESMTP
Nov 20 06:01:46 mx smtpd[7]: 5df87c9c42abeddb smtp envelope evpid=f6e94209918f7e7b from=<app@acme.test> to=<ann@example.org>
Nov 20 06:01:46 mx smtpd[7]: 5df87c9b982c840c mta delivery evpid=3d4c4a424797fe79 from=<app@acme.test> to=<ann@example.org> rcpt=<-> source="127.0.0.1" relay="127.0.0.1 (localhost)" delay=0s result="Ok" stat="250 2.0.0: f6e94209 Message accepted for delivery"
Nov 20 06:01:48 mx smtpd[7]: 5df87c9ffd0e785d mta delivery evpid=f6e94209918f7e7b from=<app@acme.test> to=<ann@example.org> rcpt=<-> source="192.0.2.1" relay="198.51.100.5 (mx.example.org)" delay=2s result="TempFail" stat="451 4.7.1 Greylisted"
Nov 20 06:21:48 mx smtpd[7]: 5df87c9ffd0e785e mta delivery evpid=f6e94209918f7e7b from=<app@acme.test> to=<ann@example.org> rcpt=<-> source="192.0.2.1" relay="198.51.100.5 (mx.example.org)" delay=20m2s result="Ok" stat="250 2.0.0 OK"
`,
    );
    assert.deepEqual([...counts(summary), summary.deferrals], [1, 2, 2, 0, 0, 0, 0, 1]);
    assert.deepEqual(world.stories(), [
      'app@acme.test > ann@example.org: accepted deferred delivered',
      'app@acme.test > gil@acme.test: accepted delivered',
    ]);
    const [accepted] = world.events();
    assert.deepEqual(
      [accepted?.mail.origin, accepted?.mail.authenticated, accepted?.mail.contentBytes],
      ['192.0.2.10', true, 303],
    );
  });

  test('the two generations before', async () => {
    const summary = await imported(
      opensmtpd,
      `
Mar 22 17:56:36 m smtpd[4]: 8f4864084ecc48f3 smtp event=message address=192.0.2.1 host=c msgid=7077717e from=<puffy@example.com> to=<bill@example.org> size=10 ndest=1 proto=ESMTP
Mar 22 17:56:37 m smtpd[4]: 8f4864084ecc48f4 mta event=delivery evpid=7077717e797a776e from=<puffy@example.com> to=<bill@example.org> rcpt=<-> source="203.0.113.1" relay="198.51.100.33 (mx.example.org)" delay=1s result="PermFail" stat="550 5.7.1 messages weren't sent, part of their network is on our block list"
Aug 17 01:26:02 ix smtpd[2]: smtp-in: Accepted message 4296f490 on session 08d856b172f69c5c: from=<root@ix.test>, to=<ddp@example.org>, size=1746, ndest=1, proto=ESMTP
Aug 17 01:26:03 ix smtpd[2]: relay: TempFail for 4296f4901234abcd: session=08d856b472f69c5c, from=<root@ix.test>, to=<ddp@example.org>, rcpt=<->, source=192.0.2.1, relay=198.51.100.5 (mx.example.org), delay=1s, stat=450 try later
Aug 21 01:26:03 ix smtpd[2]: relay: Expire for 4296f4901234abcd: from=<root@ix.test>, to=<ddp@example.org>, rcpt=<->, delay=4d, stat=Envelope expired
Aug 21 01:26:04 ix smtpd[2]: delivery: Ok for 5296f4901234abcd: from=<x@y.test>, to=<root@ix.test>, user=root, method=mbox, delay=0s, stat=Delivered
Aug 21 01:26:04 ix smtpd[2]: 8f4864084ecc48f4 mta event=delivery evpid=zz
`,
    );
    assert.deepEqual(counts(summary), [3, 3, 1, 0, 1, 1, 1]);
    const failed = world.events().find(({ type }) => type === 'failed');
    assert.deepEqual([failed?.delivery.reason, failed?.delivery.enhancedStatus], ['espblock', '5.7.1']);
  });
});

const uuid = '51DE505A-C5B4-4ED3-9FA0-45ED43F49E96';

describe('Haraka', () => {
  const said: readonly (readonly [string, string, string, Record<string, string>?])[] = [
    ['', 'core', 'connect', { ip: '192.0.2.10', port: '4000' }],
    ['.1', 'core', 'sender <app@acme.test>', { code: 'CONT', msg: '' }],
    ['.1', 'core', 'recipient <ann@example.org>', { code: 'OK', msg: '', sender: 'app@acme.test' }],
    ['.1', 'core', 'recipient <bob@example.org>', { code: 'OK', msg: '', sender: 'app@acme.test' }],
    ['.1', 'core', 'recipient <eve@example.net>', { code: 'OK', msg: '', sender: 'app@acme.test' }],
    ['.1', 'core', 'recipient <zoe@example.com>', { code: 'OK', msg: '', sender: 'app@acme.test' }],
    [
      '.1',
      'core',
      'recipient <no@local.test>',
      { code: 'DENY', msg: 'I cannot deliver mail for no', sender: 'app@acme.test' },
    ],
    ['.1', 'core', 'message', { mid: '<m1@acme.test>', size: '232', code: 'CONT' }],
    ['.1', 'core', 'queue', { code: 'OK', msg: `Message Queued (${uuid}.1)` }],
    ['.1.1', 'outbound', 'recipient <bob@example.org> rejected: 550 5.1.1 no such user'],
    [
      '.1.1',
      'outbound',
      '',
      {
        'delivered file': '159_1',
        domain: 'example.org',
        host: 'mx.example.org',
        ip: '198.51.100.5',
        port: '25',
        mode: 'SMTP',
        tls: 'Y',
        auth: 'N',
        response: 'Ok: queued',
        delay: '0.5',
        fails: '0',
        rcpts: '1/0/1',
      },
    ],
    ['.1.1', 'outbound', 'bouncing mail: Some recipients failed: <bob@example.org>'],
    ['.1.2', 'outbound', 'Temp failing 159_2 for 64 seconds: Upstream error: 450 4.7.1 Greylisted'],
    [
      '.1.2',
      'outbound',
      '',
      {
        'delivered file': '159_2',
        domain: 'example.net',
        host: 'mx.example.net',
        ip: '198.51.100.6',
        port: '25',
        mode: 'SMTP',
        tls: 'Y',
        auth: 'N',
        response: 'Ok',
        delay: '70',
        fails: '1',
        rcpts: '1/0/0',
      },
    ],
    ['.1.3', 'outbound', 'bouncing mail: Too many failures (Upstream error: 450 4.2.0 later)'],
  ];
  const quoted = (fields: Record<string, string>) =>
    Object.entries(fields)
      .map(([name, value]) => `${name}=${/[ "<]|^$/.test(value) ? JSON.stringify(value) : value}`)
      .join(' ');
  const formats = {
    default: said.map(
      ([part, origin, text, fields = {}]) =>
        `[NOTICE] [${uuid}${part}] [${origin}] ${text} ${quoted(fields)}`,
    ),
    logfmt: said.map(([part, origin, message, fields = {}]) =>
      quoted({ level: 'NOTICE', uuid: uuid + part, origin, message, ...fields }),
    ),
    json: said.map(([part, origin, message, fields = {}]) =>
      JSON.stringify({ level: 'NOTICE', uuid: uuid + part, origin, message, ...fields }),
    ),
  };
  for (const [name, lines] of Object.entries(formats)) {
    test(`one transaction to three domains, logged as ${name}`, async () => {
      const log = lines
        .map((text, n) => `2026-11-20T10:00:${String(n).padStart(2, '0')}.000Z ${text}\n`)
        .join('');
      const summary = await imported(haraka, log);
      assert.deepEqual([...counts(summary), summary.rejected], [1, 4, 2, 0, 1, 1, 0, 1]);
      assert.deepEqual(world.stories(), [
        'app@acme.test > no@local.test: rejected',
        'app@acme.test > ann@example.org: accepted delivered',
        'app@acme.test > bob@example.org: accepted failed',
        'app@acme.test > eve@example.net: accepted deferred delivered',
        'app@acme.test > zoe@example.com: accepted expired',
      ]);
      const accepted = world.events().find(({ type }) => type === 'accepted');
      assert.deepEqual(
        [accepted?.mail.messageIdField, accepted?.mail.origin, accepted?.mail.contentBytes],
        ['m1@acme.test', '192.0.2.10', 232],
      );
      const deferred = world.events().find(({ type }) => type === 'deferred');
      assert.deepEqual([deferred?.delivery.reason, deferred?.delivery.replyCode], ['greylisted', 450]);
    });
  }

  test('through syslog; and without any time it says so', async () => {
    const log = formats.default.map((text) => `Nov 20 10:00:00 mx haraka[3]: ${text}\n`).join('');
    assert.deepEqual(counts(await imported(haraka, log)), [1, 4, 2, 0, 1, 1, 0]);
    const timeless = await world.import(haraka, [world.file('timeless', formats.default.join('\n'))]);
    assert.equal(timeless.unparsed, said.length);
  });
});
