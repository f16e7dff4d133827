/** Stories as Postfix logs them, and what becomes of them. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { skipWithoutTestdata, testdataFolder } from '../../test/support/environment.ts';
import { counts, type ImportWorld, newImportWorld } from '../../test/support/import-world.ts';
import { postfix } from './formats/postfix.ts';

let world: ImportWorld;
beforeEach(() => {
  world = newImportWorld();
});
afterEach(() => world.close());

const story = `
Nov 20 10:00:00 mx1 postfix/submission/smtpd[100]: 4XtY1n0TqTz1xq1: client=c.example.com[192.0.2.10], sasl_method=PLAIN, sasl_username=app
Nov 20 10:00:00 mx1 postfix/cleanup[101]: 4XtY1n0TqTz1xq1: message-id=<m1@acme.test>
Nov 20 10:00:00 mx1 postfix/cleanup[101]: 4XtY1n0TqTz1xq1: info: header Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= from c.example.com[192.0.2.10]; from=<app@acme.test> to=<jane@example.org> proto=ESMTP helo=<c>
Nov 20 10:00:00 mx1 postfix/qmgr[50]: 4XtY1n0TqTz1xq1: from=<app@acme.test>, size=1234, nrcpt=3 (queue active)
Nov 20 10:00:01 mx1 postfix/smtp[102]: 4XtY1n0TqTz1xq1: to=<jane@example.org>, relay=mx.example.org[198.51.100.5]:25, conn_use=2, delay=1.2, delays=0.1/0.01/0.5/0.6, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as ABCDEF1)
Nov 20 10:00:01 mx1 postfix/smtp[103]: 4XtY1n0TqTz1xq1: to=<bob@example.net>, orig_to=<robert@example.net>, relay=mx.example.net[198.51.100.6]:25, delay=1.3, delays=0.1/0.01/0.5/0.7, dsn=5.1.1, status=bounced (host mx.example.net[198.51.100.6] said: 550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown (in reply to RCPT TO command))
Nov 20 10:00:02 mx1 postfix/smtp[104]: 4XtY1n0TqTz1xq1: to=<slow@example.com>, relay=none, delay=2, delays=0.1/0.01/0.5/1.4, dsn=4.4.1, status=deferred (connect to mx.example.com[198.51.100.7]:25: Connection timed out)
Nov 20 10:05:03 mx1 postfix/smtp[104]: 4XtY1n0TqTz1xq1: to=<slow@example.com>, relay=mx.example.com[198.51.100.7]:25, delay=303, delays=302/0.01/0.5/1.4, dsn=2.0.0, status=sent (250 OK)
Nov 20 10:05:03 mx1 postfix/qmgr[50]: 4XtY1n0TqTz1xq1: removed
`;

test('a mail to three people: states, replies, reasons, facts', async () => {
  const summary = await world.import(postfix, [world.file('log', story)]);
  assert.deepEqual(Object.keys(summary).slice(0, 8), [
    ...['lines', 'mails', 'deliveries', 'delivered', 'deferred', 'failed', 'expired', 'unparsed'],
  ]);
  assert.deepEqual(counts(summary), [1, 3, 2, 0, 1, 0, 0]);
  assert.equal(summary.deferrals, 1);
  assert.deepEqual(world.stories(), [
    'app@acme.test > jane@example.org: accepted delivered',
    'app@acme.test > bob@example.net: accepted failed',
    'app@acme.test > slow@example.com: accepted deferred delivered',
  ]);
  const [first, , , failed, , deferred, last] = world.events();
  assert.equal(first?.mail.subject, 'Grüße');
  assert.equal(first?.mail.messageIdField, 'm1@acme.test');
  assert.equal(first?.mail.sendingDomain, 'acme.test');
  assert.deepEqual(
    [first?.mail.origin, first?.mail.authenticated, first?.mail.contentBytes],
    ['192.0.2.10', true, 1234],
  );
  assert.equal(first?.mail.acceptedAt, Temporal.Instant.from('2026-11-20T10:00:00Z').epochMilliseconds);
  assert.deepEqual(
    [failed?.delivery.reason, failed?.delivery.replyCode, failed?.delivery.enhancedStatus],
    ['bounce', 550, '5.1.1'],
  );
  assert.equal(
    failed?.delivery.diagnostic,
    '550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown',
  );
  assert.deepEqual([failed?.status?.stage, failed?.status?.remoteMta?.address], ['rcpt', '198.51.100.6']);
  assert.deepEqual(
    [deferred?.delivery.reason, deferred?.status?.stage, deferred?.status?.reply],
    ['connect', 'connect', null],
  );
  assert.deepEqual(
    [last?.delivery.attempts, last?.delivery.deferrals, last?.delivery.replyCode],
    [2, 1, 250],
  );
});

describe('nothing is imported twice', () => {
  test('the same file, another that overlaps, one in pieces: the same events once', async () => {
    const lines = story.trim().split('\n');
    const half = world.file('half', `${lines.slice(0, 6).join('\n')}\n`);
    assert.deepEqual(counts(await world.import(postfix, [half])), [1, 2, 1, 0, 1, 0, 0]);
    const whole = world.file('whole', story);
    const rest = world.file('rest', lines.slice(4).join('\n'));
    for (const file of [whole, whole, rest]) {
      const summary = await world.import(postfix, [file]);
      assert.deepEqual(counts(summary), [1, 3, 2, 0, 1, 0, 0]);
    }
    assert.deepEqual((await world.import(postfix, [half])).newEvents, 0);
    assert.equal(world.events().length, 7);
  });

  test('a file that has grown is read on, and its sums are those of the whole', async () => {
    const long = '# '.repeat(2100);
    const lines = story.trim().split('\n');
    const before = await world.import(postfix, [
      world.file('log', `${long}\n${lines.slice(0, 5).join('\n')}\n`),
    ]);
    assert.equal(before.lines, 6);
    const after = await world.import(postfix, [world.file('log', `${long}\n${lines.join('\n')}\n`)]);
    assert.deepEqual([after.lines, after.newEvents], [10, 5]);
    assert.deepEqual(counts(after), [1, 3, 2, 0, 1, 0, 0]);
  });

  test('an import that was broken off goes on, with the same sums in the end', async () => {
    const many = Array.from({ length: 400 }, (_, n) =>
      story.replaceAll('4XtY1n0TqTz1xq1', `A${(0x10000 + n).toString(16).toUpperCase()}`),
    ).join('');
    const path = world.file('log', many);
    const stop = new AbortController();
    stop.abort();
    const first = await world.import(postfix, [path], { signal: stop.signal });
    assert.equal(first.complete, false);
    assert.ok(first.lines > 0 && first.lines < 4000, String(first.lines));
    const second = await world.import(postfix, [path]);
    assert.deepEqual(
      [second.complete, second.lines, ...counts(second)],
      [true, 4000, 400, 1200, 800, 0, 400, 0, 0],
    );
    assert.equal(first.newEvents + second.newEvents, 2800);
    assert.equal(world.events().length, 2800);
  });
});

test('rotated files, compressed or not, are read oldest first whatever their order', async () => {
  const lines = story.trim().split('\n');
  const newer = world.file('mail.log', `${lines.slice(6).join('\r\n')}\r\n`);
  const older = world.file('mail.log.1.gz', gzipSync(`${lines.slice(0, 6).join('\n')}\n`));
  assert.deepEqual(counts(await world.import(postfix, [newer, older])), [1, 3, 2, 0, 1, 0, 0]);
  assert.equal(world.stories().at(-1), 'app@acme.test > slow@example.com: accepted deferred delivered');
});

const line = (time: string, daemon: string, text: string) => `${time} mx1 postfix/${daemon}[1]: ${text}\n`;
const sent = (id: string, to: string, words = '250 ok', relay = 'mx.example.org[198.51.100.5]:25') =>
  `${id}: to=<${to}>, relay=${relay}, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (${words})`;

test('a short queue id that comes back is another mail', async () => {
  const one = (time: string, to: string) =>
    line(time, 'smtpd', 'ABCDE1: client=c[192.0.2.1]') +
    line(time, 'qmgr', 'ABCDE1: from=<app@acme.test>, size=1, nrcpt=1 (queue active)') +
    line(time, 'smtp', sent('ABCDE1', to)) +
    line(time, 'qmgr', 'ABCDE1: removed');
  const log = one('Nov 20 10:00:00', 'a@example.org') + one('Nov 20 11:00:00', 'a@example.org');
  assert.deepEqual(counts(await world.import(postfix, [world.file('log', log)])), [2, 2, 2, 0, 0, 0, 0]);
  const lost = log.replace(line('Nov 20 10:00:00', 'qmgr', 'ABCDE1: removed'), '');
  const other = newImportWorld();
  assert.deepEqual(counts(await other.import(postfix, [other.file('log', lost)])), [2, 2, 2, 0, 0, 0, 0]);
  other.close();
});

test('the same queue id on two hosts that share a log is two mails', async () => {
  const one = line('Nov 20 10:00:00', 'smtp', sent('ABCDE1', 'a@example.org'));
  const log = one + one.replace(' mx1 ', ' mx2 ');
  assert.deepEqual(counts(await world.import(postfix, [world.file('log', log)])), [2, 2, 2, 0, 0, 0, 0]);
});

test('a mail from this machine of which one recipient is refused before its Message-ID is known', async () => {
  const log =
    line('Nov 20 10:00:00', 'smtpd', 'AAAAA1: client=localhost[127.0.0.1]') +
    line(
      'Nov 20 10:00:00',
      'smtpd',
      'AAAAA1: reject: RCPT from localhost[127.0.0.1]: 554 5.7.1 <no@example.org>: Access denied; from=<app@acme.test> to=<no@example.org> proto=ESMTP helo=<h>',
    ) +
    line('Nov 20 10:00:00', 'cleanup', 'AAAAA1: message-id=<l@acme.test>') +
    line('Nov 20 10:00:00', 'qmgr', 'AAAAA1: from=<app@acme.test>, size=1, nrcpt=1 (queue active)') +
    line('Nov 20 10:00:01', 'smtp', sent('AAAAA1', 'a@example.org')) +
    line('Nov 20 10:00:01', 'qmgr', 'AAAAA1: removed');
  const summary = await world.import(postfix, [world.file('log', log)]);
  assert.deepEqual([...counts(summary), summary.rejected], [1, 1, 1, 0, 0, 0, 0, 1]);
});

describe('a mail that goes through a content filter', () => {
  const before = (words: string) =>
    line('Nov 20 10:00:00', 'smtpd', 'AAAAA1: client=outside.example[192.0.2.77]') +
    line('Nov 20 10:00:00', 'cleanup', 'AAAAA1: message-id=<f1@outside>') +
    line('Nov 20 10:00:00', 'qmgr', 'AAAAA1: from=<out@acme.test>, size=100, nrcpt=1 (queue active)') +
    line('Nov 20 10:00:01', 'smtpd', 'BBBBB2: client=localhost[127.0.0.1]') +
    line('Nov 20 10:00:01', 'cleanup', 'BBBBB2: message-id=<f1@outside>') +
    line('Nov 20 10:00:01', 'qmgr', 'BBBBB2: from=<out@acme.test>, size=300, nrcpt=1 (queue active)') +
    line('Nov 20 10:00:02', 'smtp', sent('AAAAA1', 'z@example.org', words, '127.0.0.1[127.0.0.1]:10024')) +
    line('Nov 20 10:00:02', 'qmgr', 'AAAAA1: removed');
  const after =
    line('Nov 20 10:00:03', 'smtp', sent('BBBBB2', 'z@example.org')) +
    line('Nov 20 10:00:03', 'qmgr', 'BBBBB2: removed');
  const handedOver = '250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as BBBBB2';

  test('is one mail, delivered when the second queue id is', async () => {
    assert.deepEqual(
      counts(await world.import(postfix, [world.file('log', before(handedOver) + after)])),
      [1, 1, 1, 0, 0, 0, 0],
    );
    const [accepted, delivered] = world.events();
    assert.equal(accepted?.mail.origin, '192.0.2.77');
    assert.equal(delivered?.delivery.remoteMta, 'mx.example.org');
    assert.equal(world.events().length, 2);
  });

  test('also where the second is delivered before the first is told to have been handed over', async () => {
    const lines = (before(handedOver) + after).trim().split('\n');
    const early = [...lines.slice(0, 6), ...lines.slice(8), ...lines.slice(6, 8)].join('\n');
    assert.deepEqual(counts(await world.import(postfix, [world.file('log', early)])), [1, 1, 1, 0, 0, 0, 0]);
  });

  test('also where the log is cut between the two', async () => {
    assert.deepEqual(
      counts(await world.import(postfix, [world.file('1', before(handedOver))])),
      [1, 0, 0, 0, 0, 0, 0],
    );
    const whole = world.file('2', before(handedOver) + after);
    assert.deepEqual(counts(await world.import(postfix, [whole])), [1, 1, 1, 0, 0, 0, 0]);
  });

  test('is delivered when the filter keeps it, or takes it elsewhere', async () => {
    const kept = before('250 2.7.0 Ok, discarded, id=1 - spam').replace(/^.*BBBBB2.*\n/gm, '');
    assert.deepEqual(counts(await world.import(postfix, [world.file('log', kept)])), [1, 1, 1, 0, 0, 0, 0]);
    const elsewhere = before('250 2.0.0 Ok: queued as CCCCC3')
      .replace(/^.*BBBBB2.*\n/gm, '')
      .replaceAll('AAAAA1', 'AAAAA9');
    assert.deepEqual(
      counts(await world.import(postfix, [world.file('log2', elsewhere)])),
      [1, 1, 1, 0, 0, 0, 0],
    );
  });

  test('an alias that forwards: the delivery is that of the next address', async () => {
    const log =
      line('Nov 20 10:00:00', 'pickup', 'AAAAA1: uid=0 from=<root>') +
      line('Nov 20 10:00:00', 'cleanup', 'AAAAA1: message-id=<f2@mx1>') +
      line('Nov 20 10:00:00', 'qmgr', 'AAAAA1: from=<root@mx1>, size=100, nrcpt=1 (queue active)') +
      line('Nov 20 10:00:01', 'cleanup', 'BBBBB2: message-id=<f2@mx1>') +
      line('Nov 20 10:00:01', 'qmgr', 'BBBBB2: from=<root@mx1>, size=300, nrcpt=1 (queue active)') +
      line('Nov 20 10:00:01', 'local', sent('AAAAA1', 'root@mx1', 'forwarded as BBBBB2', 'local')) +
      line('Nov 20 10:00:01', 'qmgr', 'AAAAA1: removed') +
      line('Nov 20 10:00:02', 'smtp', sent('BBBBB2', 'admin@example.org')) +
      line('Nov 20 10:00:02', 'qmgr', 'BBBBB2: removed');
    assert.deepEqual(counts(await world.import(postfix, [world.file('log', log)])), [1, 1, 1, 0, 0, 0, 0]);
    assert.deepEqual(world.stories(), ['root@mx1 > admin@example.org: accepted delivered']);
  });
});

test('expired, removed by an operator, held and released', async () => {
  const deferred = (id: string, time = '10:00:00') =>
    line(`Nov 20 ${time}`, 'qmgr', `${id}: from=<app@acme.test>, size=1, nrcpt=1 (queue active)`) +
    line(
      `Nov 20 ${time}`,
      'smtp',
      `${id}: to=<a@example.org>, relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred (connect to mx[198.51.100.1]:25: Connection refused)`,
    );
  const log =
    deferred('AAAAA1') +
    line('Nov 20 11:00:00', 'qmgr', 'AAAAA1: from=<app@acme.test>, status=expired, returned to sender') +
    line('Nov 20 11:00:00', 'qmgr', 'AAAAA1: removed') +
    deferred('AAAAA2') +
    line('Nov 20 11:00:00', 'postsuper', 'AAAAA2: removed') +
    deferred('AAAAA3') +
    line('Nov 20 11:00:00', 'postsuper', 'AAAAA3: placed on hold') +
    line('Nov 20 11:10:00', 'postsuper', 'AAAAA3: released from hold') +
    deferred('AAAAA3', '11:20:00');
  const summary = await world.import(postfix, [world.file('log', log)]);
  assert.deepEqual([...counts(summary), summary.canceled], [3, 3, 0, 1, 0, 1, 0, 1]);
  assert.deepEqual(world.stories(), [
    'app@acme.test > a@example.org: accepted deferred expired',
    'app@acme.test > a@example.org: accepted deferred canceled',
    'app@acme.test > a@example.org: accepted deferred held released deferred',
  ]);
  const expired = world.events().find(({ type }) => type === 'expired');
  assert.equal(expired?.delivery.reason, 'old');
  assert.match(expired?.delivery.diagnostic ?? '', /Connection refused/);
});

test('what is no mail: probes, refusals, mails that were never taken', async () => {
  const log =
    line('Nov 20 10:00:00', 'cleanup', 'AAAAA1: message-id=<v@mx1>') +
    line('Nov 20 10:00:00', 'qmgr', 'AAAAA1: from=<double-bounce@mx1>, size=1, nrcpt=1 (queue active)') +
    line(
      'Nov 20 10:00:00',
      'smtp',
      'AAAAA1: to=<p@example.org>, relay=mx[198.51.100.1]:25, delay=1, delays=0/0/0/1, dsn=2.1.5, status=deliverable (250 ok)',
    ) +
    line('Nov 20 10:00:00', 'qmgr', 'AAAAA1: removed') +
    line(
      'Nov 20 10:00:00',
      'smtpd',
      'NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <x@f.test>: Relay access denied; from=<a@b.test> to=<x@f.test> proto=ESMTP helo=<h>',
    ) +
    line('Nov 20 10:00:00', 'smtpd', 'AAAAA2: client=c[192.0.2.1]') +
    line('Nov 20 10:00:00', 'cleanup', 'AAAAA2: message-id=<s@c>') +
    line(
      'Nov 20 10:00:00',
      'cleanup',
      'AAAAA2: milter-reject: END-OF-MESSAGE from c[192.0.2.1]: 5.7.1 Blocked; from=<s@c.test> to=<y@example.org> proto=ESMTP helo=<c>',
    ) +
    line(
      'Nov 20 10:00:00',
      'smtpd',
      'NOQUEUE: reject: CONNECT from unknown[192.0.2.4]: 450 4.7.25 Client host rejected; proto=SMTP',
    );
  const summary = await world.import(postfix, [world.file('log', log)]);
  assert.deepEqual([...counts(summary), summary.rejected, summary.ignored], [0, 0, 0, 0, 0, 0, 0, 2, 1]);
  assert.deepEqual(world.stories(), ['a@b.test > x@f.test: rejected', ' > y@example.org: rejected']);
  const [refused] = world.events();
  assert.deepEqual([refused?.delivery.replyCode, refused?.mail.origin], [554, '203.0.113.9']);
});

describe('times', () => {
  const at = async (text: string, how: { zone?: string; year?: number } = {}) => {
    const own = newImportWorld();
    await own.import(postfix, [own.file('log', text)], how);
    const times = own
      .events()
      .filter(({ type }) => type === 'delivered')
      .map((event) => new Date(event.at).toISOString());
    own.close();
    return times;
  };
  const tail = ` mx1 postfix/smtp[1]: ${sent('AAAAA1', 'a@example.org')}\n`;

  for (const [head, expected, zone] of [
    ['Nov 20 10:00:00', '2026-11-20T10:00:00.000Z', 'UTC'],
    ['Nov 20 10:00:00.123456', '2026-11-20T10:00:00.123Z', 'UTC'],
    ['Nov  5 10:00:00', '2026-11-05T09:00:00.000Z', 'Europe/Berlin'],
    ['Dec 31 23:59:59', '2025-12-31T23:59:59.000Z', 'UTC'],
    ['Nov 20 2019 10:00:00', '2019-11-20T10:00:00.000Z', 'UTC'],
    ['2024-02-29T10:00:00.5+01:00', '2024-02-29T09:00:00.500Z', 'UTC'],
    ['2026-07-01T10:00:00Z', '2026-07-01T10:00:00.000Z', 'Europe/Berlin'],
    ['2026-07-01 10:00:00', '2026-07-01T08:00:00.000Z', 'Europe/Berlin'],
    ['Wed 2026-07-01 10:00:00 UTC', '2026-07-01T10:00:00.000Z', 'UTC'],
    ['<22>Nov 20 10:00:00', '2026-11-20T10:00:00.000Z', 'UTC'],
  ] as const) {
    test(head, async () => assert.deepEqual(await at(head + tail, { zone }), [expected]));
  }

  test('RFC 5424, and the journal as JSON', async () => {
    const said = sent('AAAAA1', 'a@example.org');
    const entry = {
      __REALTIME_TIMESTAMP: '1782900000000000',
      _HOSTNAME: 'mx1',
      SYSLOG_IDENTIFIER: 'postfix/smtp',
      MESSAGE: said,
    };
    assert.deepEqual(await at(`<22>1 2026-07-01T10:00:00.5Z mx1 postfix/smtp 12 - - ${said}\n`), [
      '2026-07-01T10:00:00.500Z',
    ]);
    assert.deepEqual(await at(JSON.stringify(entry)), ['2026-07-01T10:00:00.000Z']);
  });

  test('a log that turns into the next year, and one whose year is told', async () => {
    const turn = `Dec 31 23:59:59${tail}Jan  1 00:00:01${tail.replace('AAAAA1', 'AAAAA2')}`;
    assert.deepEqual(await at(turn), ['2025-12-31T23:59:59.000Z', '2026-01-01T00:00:01.000Z']);
    assert.deepEqual(await at(turn, { year: 2021 }), [
      '2021-12-31T23:59:59.000Z',
      '2022-01-01T00:00:01.000Z',
    ]);
  });

  test('a mail older than ids can tell has an id, and its own time', async () => {
    await world.import(postfix, [world.file('log', `2009-01-12T10:00:00Z${tail}`)]);
    const [event] = world.events();
    assert.equal(event?.mail.acceptedAt, Temporal.Instant.from('2009-01-12T09:59:59Z').epochMilliseconds);
    assert.ok(Number.isSafeInteger(event?.mail.mailId));
  });
});

test('text that means harm does none', async () => {
  const hostile = [
    line(
      'Nov 20 10:00:00',
      'smtp',
      sent('AAAAA1', 'a\u0001\r"@example.org>, relay=x', '250 ok\u0000\u001b[31m'),
    ),
    line('Nov 20 10:00:00', 'cleanup', `AAAAA1: message-id=<${'x'.repeat(50_000)}@y>`),
    line('Nov 20 10:00:00', 'smtp', `AAAAA2: to=<${'<'.repeat(30_000)}`),
    `Nov 20 10:00:00 mx1 postfix/smtp[1]: AAAAA3: to=<\xff\xfe@example.org>, relay=x, delay=1, status=sent (ok)\n`,
    '\u0000'.repeat(100),
  ].join('');
  const summary = await world.import(postfix, [world.file('log', Buffer.from(hostile, 'latin1'))]);
  assert.equal(summary.unparsed, 1);
  for (const { mail, delivery } of world.events()) {
    assert.doesNotMatch(JSON.stringify([mail, delivery]), /\\u00[01]|\\r|\\n/);
    assert.ok(mail.messageIdField.length < 1000);
  }
});

test('every line that others collected is understood or of no interest', {
  skip: skipWithoutTestdata('mta-logs-a'),
}, async () => {
  const folder = join(testdataFolder('mta-logs-a'), 'postfix-grok');
  const lines = readdirSync(folder).flatMap((name) => {
    const [, daemon = ''] = /^(.+)_\d+\.yaml$/.exec(name) ?? [];
    const data = /^data: (.*)$/m.exec(readFileSync(join(folder, name), 'utf8'))?.[1] ?? '';
    const text: string = data.startsWith('"')
      ? JSON.parse(data.replaceAll(/\\(?!["\\nrt/])/g, '\\\\'))
      : data;
    return [
      'smtp',
      'smtpd',
      'lmtp',
      'local',
      'pipe',
      'qmgr',
      'cleanup',
      'error',
      'discard',
      'virtual',
      'bounce',
      'postsuper',
      'pickup',
      'postscreen',
    ].includes(daemon)
      ? [line('Nov 20 10:00:00', daemon, text.replaceAll('\n', ' '))]
      : [];
  });
  assert.ok(lines.length > 100);
  const summary = await world.import(postfix, [world.file('log', lines.join(''))]);
  assert.equal(summary.lines, lines.length);
  assert.equal(summary.unparsed, 0);
  assert.ok(summary.delivered >= 8 && summary.failed >= 4 && summary.rejected >= 5, JSON.stringify(summary));
  const real = readFileSync(join(testdataFolder('mta-logs-a'), 'fail2ban', 'postfix'), 'utf8');
  const refused = await world.import(postfix, [world.file('real', real)]);
  assert.equal(refused.unparsed, 0);
  assert.ok(refused.rejected >= 15, JSON.stringify(refused));
});
