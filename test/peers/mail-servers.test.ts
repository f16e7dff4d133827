/**
 * Postfix and Exim on the other side: as the next hop that a whole Waybill delivers to, as servers our client speaks
 * to, and as clients of our listener. Content is compared byte for byte.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { createTransport } from 'nodemailer';
import type { MailEvent } from '../../src/events/event.ts';
import { noMailOptions } from '../../src/protocol/smtp/envelope-options.ts';
import { connect, defaultTimeouts } from '../../src/smtp-client/smtp-client.ts';
import { type Listener, startListener } from '../dialogs/listener.ts';
import { makeCertificate } from '../support/certificates.ts';
import { dkimpyVerdicts, mailauthVerdicts } from '../support/dkim.ts';
import { skipWithout } from '../support/environment.ts';
import { type MailServer, startExim, startPostfix } from '../support/mail-servers.ts';
import { relayIdIn } from '../support/send.ts';
import { until } from '../support/until.ts';
import { startWaybill, type Waybill } from '../support/waybill.ts';

const authority = await makeCertificate({ names: ['authority.test'], authority: true });
const identity = await makeCertificate({ names: ['localhost'], by: authority });

const patienceMs = 60_000;

const head = (subject: string, ...more: string[]) =>
  [
    'Received: from somewhere by nowhere; Sat, 21 Nov 2026 10:00:00 +0000',
    'Date: Sun, 22 Nov 2026 10:00:00 +0000',
    'From: "A  B"',
    '\t<app@acme.test>',
    'To: undisclosed-recipients:;',
    `Subject: ${subject}`,
    'Message-ID: <one@acme.test>',
    'MIME-Version: 1.0',
    ...more,
    '',
    '',
  ].join('\r\n');

const oddLines = [
  ...['.', '..', '.leading', '. ', ' .', 'From here', '>From there', '\ttab', 'trailing \t ', ''],
  ...['x'.repeat(998), `.${'y'.repeat(997)}`, '', '', 'end', '', '.', ''],
].join('\r\n');

/** What a mail is made of, and what has to be said of it in the envelope. */
const mails = {
  'odd lines': {
    content: head('odd   spaces \t', 'X-Empty:', 'X-Odd: a;;  b') + oddLines,
    to: 'good@peer.net',
  },
  '8-bit': {
    content: `${head('8-bit', 'Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit')}Grüße, 日本\r\n`,
    to: 'good@peer.net',
  },
  large: { content: head('large') + `${'0123456789'.repeat(9)}\r\n`.repeat(60_000), to: 'good@peer.net' },
  internationalized: { content: `${head('Grüße')}ü\r\n`, to: 'büro@peer.net' },
};

async function sendRaw(waybill: Waybill, content: string, to: string | string[]): Promise<string> {
  const transport = createTransport({ ...waybill.smtp, ignoreTLS: true });
  const envelope = { from: 'app@acme.test', to, use8BitMime: true };
  const { response } = await transport.sendMail({ raw: content, envelope });
  transport.close();
  return relayIdIn(response);
}

/** The last event of each forward-path, once none of them is waiting for an attempt. */
async function ended(waybill: Waybill, id: string, count: number): Promise<MailEvent[]> {
  return await until(
    `the deliveries of ${id} end`,
    async () => {
      const { stdout } = await waybill.cli('log', id, '--json');
      const { events } = JSON.parse(stdout) as { events: MailEvent[] };
      const last = events.filter(({ type }) => ['delivered', 'failed', 'expired'].includes(type));
      return last.length === count ? last : null;
    },
    patienceMs,
  );
}

const arrived = (server: MailServer, content: string, to = '') =>
  server
    .mails()
    .filter((mail) => mail.toString('utf8').endsWith(`\r\n${content}`) && mail.toString('utf8').includes(to));

for (const [name, peer, startServer] of [
  ['Postfix', 'postfix', startPostfix],
  ['Exim', 'exim4', startExim],
] as const) {
  describe(name, { skip: skipWithout(peer, 'dkimverify') }, () => {
    let server: MailServer;
    let listener: Listener;
    before(async () => {
      listener = await startListener({ maxContentBytes: 2 ** 25 });
      server = await startServer({ identity, onwardPort: listener.port });
    });
    after(async () => {
      await server.stop();
      await listener.server.close();
    });

    const waybillBefore = async (t: TestContext) => {
      const folder = mkdtempSync(join(tmpdir(), 'waybill-ca-'));
      t.after(() => rmSync(folder, { recursive: true }));
      writeFileSync(join(folder, 'ca.pem'), authority.cert);
      return await startWaybill(t, {
        environment: {
          NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
          WAYBILL_NEXT_HOP: `smtp://localhost:${server.port}?tls=required`,
          WAYBILL_SMTP_TRUSTED: '127.0.0.0/8=acme',
          WAYBILL_RETRY_SCHEDULE: '200ms,200ms,200ms',
        },
      });
    };

    test('a whole Waybill delivers to it: TLS verified, each forward-path by its reply, DKIM good', async (t) => {
      const waybill = await waybillBefore(t);
      await waybill.createTenant('acme', 'acme.test');
      for (const step of ['create', 'rotate']) {
        const { code, stderr } = await waybill.cli('dkim', step, 'acme.test');
        assert.equal(code, 0, stderr);
      }
      const paths = ['good', 'unknown', 'full', 'greylisted'].map((local) => `${local}@peer.net`);
      const { content } = mails['odd lines'];
      const id = await sendRaw(waybill, content, paths);
      for (const { content: other, to } of Object.values(mails).slice(1)) await sendRaw(waybill, other, to);

      const facts = (await ended(waybill, id, paths.length))
        .toSorted((a, b) => a.delivery.n - b.delivery.n)
        .map(({ delivery }) => delivery);
      assert.deepEqual(
        facts.map(({ state, enhancedStatus }) => [state, enhancedStatus]),
        [
          ['delivered', '2.0.0'],
          ['failed', '5.1.1'],
          ['expired', '4.2.2'],
          ['delivered', '2.0.0'],
        ],
      );
      assert.equal(facts[1]?.reason, 'bounce');
      assert.ok((facts[3]?.attempts ?? 0) >= 2, 'greylisted once');
      const { stdout: log } = await waybill.cli('log', id, '--json');
      const delivered = (JSON.parse(log) as { events: MailEvent[] }).events.find(
        ({ type }) => type === 'delivered',
      );
      assert.deepEqual(
        { version: delivered?.status?.tls?.version, verified: delivered?.status?.tls?.verified },
        { version: 'TLSv1.3', verified: true },
      );

      for (const [kind, { content: sent }] of Object.entries(mails)) {
        const copies = kind === 'odd lines' ? 2 : 1;
        await until(`${kind} arrives`, () => arrived(server, sent).length === copies, patienceMs);
      }
      const { stdout } = await waybill.cli('dkim', 'show', 'acme.test', '--json');
      const records = (JSON.parse(stdout) as { keys: { record: { name: string; text: string } }[] }).keys.map(
        ({ record }) => record,
      );
      const stored = Object.values(mails).flatMap(({ content: sent }) => arrived(server, sent).slice(0, 1));
      const good = ['ed25519-sha256 acme.test pass', 'rsa-sha256 acme.test pass'];
      assert.deepEqual(
        await dkimpyVerdicts(stored, records),
        stored.map(() => good),
      );
      assert.deepEqual(
        await Promise.all(stored.map((mail) => mailauthVerdicts(mail, records))),
        stored.map(() => good),
      );
    });

    const session = (tls: 'opportunistic' | 'required', trustedCertificates: string[] = []) =>
      connect({
        target: { name: 'localhost', address: '127.0.0.1', port: server.port },
        greetingName: 'me.test',
        ...{ tls, trustedCertificates, timeouts: defaultTimeouts },
      });

    test('our client: opportunistic with any certificate, required only with a valid one', async () => {
      const any = await session('opportunistic');
      assert.ok(!('failed' in any), server.log());
      assert.match(any.tls?.version ?? '', /^TLSv1\.[23]$/);
      assert.equal(any.tls?.verified, false);
      assert.match(any.tlsShortfall, /certificate of the server is not valid/);
      await any.quit();
      const refused = await session('required');
      assert.ok('failed' in refused);
      assert.equal(refused.failed.stage, 'tls');
      const valid = await session('required', [authority.cert]);
      assert.ok(!('failed' in valid), server.log());
      assert.deepEqual([valid.tls?.verified, valid.tlsShortfall], [true, '']);
      await valid.quit();
    });

    const ends = ['\r', '\n', '\r\n', '\r\r\n', '\n\r'];

    test('no mark that our client is given to send ends content there before its end', async () => {
      const wire = await session('opportunistic');
      assert.ok(!('failed' in wire));
      const before = server.mails().length;
      const marks = ends.flatMap((first) => ends.map((last) => `${first}.${last}`));
      for (const [index, mark] of marks.entries()) {
        const content = `${head(`mark ${index}`)}text${mark}MAIL FROM:<x@acme.test>\r\nRCPT TO:<smuggled@peer.net>\r\nDATA\r\nSubject: smuggled\r\n\r\n.\r\nlast line ${index}\r\n`;
        const [heard] = await wire.send({
          reversePath: 'app@acme.test',
          forwardPaths: ['good@peer.net'],
          content: Buffer.from(content),
        });
        assert.equal(heard?.reply?.code, 250, `${JSON.stringify(mark)}: ${JSON.stringify(heard)}`);
      }
      await wire.quit();
      await until('all arrive', () => server.mails().length >= before + marks.length, patienceMs);
      assert.equal(server.mails().length, before + marks.length, 'and nothing more');
      for (const index of marks.keys()) {
        const found = server.mails().filter((mail) => mail.includes(`Subject: mark ${index}\r\n`));
        assert.equal(found.length, 1);
        assert.ok(found[0]?.includes(`last line ${index}\r\n`), 'to its end');
      }
    });

    test('it is a client of our listener: under TLS, content whole, nothing smuggled', async () => {
      const wire = await session('opportunistic');
      assert.ok(!('failed' in wire));
      for (const { content } of Object.values(mails)) {
        const eightBit = /[^\0-\x7f]/.test(content.slice(0, content.indexOf('\r\n\r\n')));
        const options = { ...noMailOptions, smtpUtf8: true };
        const [heard] = await wire.send({
          reversePath: 'app@acme.test',
          forwardPaths: ['a@onward.net'],
          content: Buffer.from(content),
          ...(eightBit ? { options } : {}),
        });
        assert.equal(heard?.reply?.code, 250, JSON.stringify(heard));
      }
      await wire.quit();
      await until('all come', () => listener.mails.length === Object.keys(mails).length, patienceMs);
      for (const [kind, { content }] of Object.entries(mails)) {
        const found = listener.mails.filter((mail) =>
          mail.content.toString('utf8').endsWith(`\r\n${content}`),
        );
        assert.equal(found.length, 1, kind);
        assert.match(found[0]?.protocol ?? '', /^(?:ESMTP|UTF8SMTP)S$/);
        assert.deepEqual(found[0]?.forwardPaths, ['a@onward.net']);
      }
    });
  });
}
