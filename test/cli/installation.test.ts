/** Commands that need no server: they work on the store itself. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { relayIdOf } from '../../src/base/id.ts';
import { loadInstallationKey } from '../../src/base/secret.ts';
import { dataPaths } from '../../src/data-paths.ts';
import type { DeliveryFacts } from '../../src/events/event.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { writeRunFile } from '../../src/run-file.ts';
import { openStore } from '../../src/store/store.ts';
import { openTenants } from '../../src/tenants/tenants.ts';
import { deliveryRow } from '../support/delivery-rows.ts';
import type { TenantCredentials } from '../support/waybill.ts';
import { type Installation, newInstallation, runHere } from './run-waybill.ts';

const pathsOf = ({ folder }: Installation) => dataPaths(join(folder, 'data'));

describe('tenants and operators', () => {
  const installation = newInstallation();
  after(() => installation.remove());

  test('tenant create prints the credentials, and they are the ones that work', async () => {
    const made = (await installation.json([
      'tenant',
      'create',
      'Acme',
      '--domain',
      'Acme.TEST',
    ])) as TenantCredentials;
    const { tenant, domain, smtp, mailgun, mailbaby, kaleyra, submail, ...others } = made;
    assert.deepEqual([tenant, domain, others], [{ id: 1, name: 'acme' }, 'acme.test', {}]);
    assert.deepEqual(
      [smtp, mailgun, mailbaby, kaleyra, submail].map((one) => Object.keys(one)),
      [['username', 'password'], ['apiKey'], ['apiKey', 'orderId'], ['sid', 'apiKey'], ['appid', 'appkey']],
    );
    const store = openStore(pathsOf(installation).store);
    const tenants = openTenants(store, loadInstallationKey(pathsOf(installation).key), systemClock);
    assert.equal(smtp.username, 'acme');
    assert.equal(tenants.checkCredential('smtp', 'acme', smtp.password)?.tenantId, 1);
    assert.equal(tenants.credentialBySecret('mailgun', mailgun.apiKey)?.tenantId, 1);
    assert.deepEqual(
      tenants.sendingDomains(1).map(({ verifiedAt }) => verifiedAt === null),
      [false],
    );
    store.close();
    assert.equal(statSync(pathsOf(installation).key).mode & 0o077, 0, 'nobody else can read the key');
  });

  test('a tenant that cannot be made leaves nothing behind', async () => {
    await installation.json(['tenant', 'create', 'owner', '--domain', 'taken.com']);
    for (const [words, problem] of [
      [['half', '--domain', 'taken.com'], /domain taken.com belongs to another tenant/],
      [['half', '--domain', 'no domain'], /"no domain" is no domain name/],
      [['half', '--domain', 'a.test', '--zone', 'Mars/Olympus'], /no IANA time zone/],
      [['owner', '--domain', 'a.test'], /tenant owner exists already/],
      [['no name', '--domain', 'a.test'], /is no tenant name/],
    ] as const) {
      const { code, out, err } = await installation.run(['tenant', 'create', ...words, '--json']);
      assert.deepEqual({ code, out }, { code: 1, out: '' });
      assert.match(err, problem);
    }
    const { tenants } = (await installation.json(['tenant', 'list'])) as {
      tenants: { name: string; id: number }[];
    };
    assert.deepEqual(
      tenants.map(({ name }) => name),
      ['acme', 'owner'],
    );
    await installation.json(['tenant', 'create', 'half', '--domain', 'half.test']);
  });

  test('says when a domain is not verified, unless the operator vouches for it', async () => {
    const plain = await installation.run(['tenant', 'create', 'plain', '--domain', 'plain.com']);
    assert.match(plain.err, /plain.com is not verified yet/);
    assert.match(plain.out, /^Tenant plain .*\n {2}SMTP +username plain {2}password \w{32}\n/);
    const vouched = await installation.run([
      'tenant',
      'create',
      'vouched',
      '--domain',
      'vouched.com',
      '--verified',
    ]);
    assert.deepEqual([vouched.code, vouched.err], [0, '']);
    const { out } = await installation.run(['tenant', 'list']);
    assert.match(out, /plain.com \(not verified\)\n/);
    assert.match(out, /vouched.com\n/);
  });

  test('operators get a password that works', async () => {
    const made = (await installation.json(['operator', 'create', 'Ann'])) as {
      username: string;
      password: string;
    };
    assert.deepEqual(Object.keys(made), ['username', 'password']);
    const store = openStore(pathsOf(installation).store);
    const tenants = openTenants(store, loadInstallationKey(pathsOf(installation).key), systemClock);
    assert.ok(tenants.checkOperator(made.username, made.password));
    store.close();
    const again = await installation.run(['operator', 'create', 'ann']);
    assert.equal(again.code, 1);
    assert.match(again.err, /operator ann exists already/);
    assert.deepEqual(await installation.json(['operator', 'list']), { operators: ['ann'] });
  });
});

describe('the queue', () => {
  const installation = newInstallation();
  after(() => installation.remove());
  const now = systemClock.now();
  const mailIds = [1, 2, 3].map((seconds) => deliveryRow().mail.mailId + seconds * 4_096_000);

  /** Three mails of two tenants, the first with two deliveries, one of which has ended. */
  before(async () => {
    await installation.json(['tenant', 'create', 'acme', '--domain', 'acme.test']);
    await installation.json(['tenant', 'create', 'shop', '--domain', 'shop.test']);
    const store = openStore(pathsOf(installation).store);
    const queue = openQueue(store);
    const later = {
      state: 'deferred',
      nextAttemptAt: now + 3_600_000,
      reason: 'generic',
      attempts: 1,
    } as const;
    const plans: [tenantId: number, deliveries: Partial<DeliveryFacts>[]][] = [
      [
        1,
        [
          { ...later, forwardPath: 'Ann@gmail.com' },
          { state: 'delivered', nextAttemptAt: null },
        ],
      ],
      [2, [{ ...later, forwardPath: 'bob@gmail.com', diagnostic: '450 later\u001b[2J' }]],
      [2, [{ state: 'queued', forwardPath: 'eve@yahoo.com', leased: true, lastAttemptAt: now }]],
    ];
    store.transaction(() => {
      for (const [index, [tenantId, deliveries]] of plans.entries()) {
        const mailId = mailIds[index] ?? 0;
        queue.insertMail({ facts: { ...deliveryRow().mail, mailId, tenantId }, content: null });
        for (const [at, changes] of deliveries.entries()) {
          const { delivery } = deliveryRow({ n: at + 1, ...changes });
          queue.insertDelivery(mailId, {
            destination: delivery.forwardPath.split('@')[1] ?? '',
            facts: delivery,
          });
        }
      }
    });
    store.close();
  });

  const idAt = (index: number, n = '') => `${relayIdOf(mailIds[index] ?? 0)}${n}`;
  const listed = async (...words: string[]) => {
    const { total, deliveries } = (await installation.json(['queue', 'list', ...words])) as {
      total: number;
      deliveries: { id: string; tenant: string; delivery: DeliveryFacts }[];
    };
    return { total, ids: deliveries.map(({ id }) => id), deliveries };
  };

  test('list shows what has not ended, or what is described', async () => {
    assert.deepEqual((await listed()).ids, [idAt(0, ':1'), idAt(1, ':1'), idAt(2, ':1')]);
    assert.deepEqual((await listed('--tenant', 'shop')).ids, [idAt(1, ':1'), idAt(2, ':1')]);
    assert.deepEqual((await listed('--to', 'ANN@GMAIL.com')).ids, [idAt(0, ':1')]);
    assert.deepEqual((await listed('--destination', 'GMAIL.com')).ids, [idAt(0, ':1'), idAt(1, ':1')]);
    assert.deepEqual((await listed('--state', 'delivered,queued')).ids, [idAt(0, ':2'), idAt(2, ':1')]);
    const { total, ids } = await listed('--limit', '1');
    assert.deepEqual([total, ids.length], [3, 1]);
  });

  test('list for people has no controls in it, and says when there is more', async () => {
    const { out, err } = await installation.run(['queue', 'list', '--tenant', 'shop', '--limit', '1']);
    assert.match(out, /^ID +STATE +TENANT/);
    assert.ok(out.includes('450 later\\u001b[2J') && !out.includes('\u001b'), out);
    assert.match(err, /1 of 2/);
  });

  test('an unknown tenant is a failure', async () => {
    const { code, err } = await installation.run(['queue', 'list', '--tenant', 'nobody']);
    assert.equal(code, 1);
    assert.match(err, /there is no tenant "nobody"/);
  });

  test('show tells about a mail and its deliveries', async () => {
    const { out } = await installation.run(['queue', 'show', idAt(0)]);
    assert.match(out, /tenant +acme, stream 10001/);
    assert.match(out, /:1\n {2}to +Ann@gmail.com\n[\s\S]*:2\n/);
    const one = (await installation.json(['queue', 'show', idAt(0, ':2')])) as {
      deliveries: { id: string }[];
    };
    assert.deepEqual(
      one.deliveries.map(({ id }) => id),
      [idAt(0, ':2')],
    );
    const none = await installation.run(['queue', 'show', '19ab2c3d4e50000000']);
    assert.equal(none.code, 1);
    assert.match(none.err, /waybill log 19ab2c3d4e50000000/);
  });

  test('retry makes due what waits, and says of the others why not', async () => {
    const words = ['queue', 'retry', idAt(0), idAt(0, ':2'), idAt(2), '19ab2c3d4e50000000', '--json'];
    const { code, out } = await installation.run(words);
    assert.equal(code, 1);
    assert.deepEqual(JSON.parse(out), {
      results: [
        { id: idAt(0, ':1'), result: 'due' },
        { id: idAt(0, ':2'), result: 'ended' },
        { id: idAt(2, ':1'), result: 'leased' },
        { id: '19ab2c3d4e50000000:1', result: 'unknown' },
      ],
    });
    const [first] = (await listed()).deliveries;
    assert.ok((first?.delivery.nextAttemptAt ?? Number.POSITIVE_INFINITY) <= systemClock.now());
  });

  test('what a filter describes is counted, and changed only with --yes', async () => {
    const asked = await installation.run(['queue', 'cancel', '--destination', 'gmail.com']);
    assert.equal(asked.code, 2);
    assert.match(asked.err, /this would cancel 2 deliveries; say --yes/);
    assert.equal((await listed()).total, 3);
    assert.deepEqual(await installation.json(['queue', 'cancel', '--destination', 'gmail.com', '--yes']), {
      matched: 2,
      results: { canceled: 2 },
    });
    assert.deepEqual((await listed()).ids, [idAt(2, ':1')]);
  });

  test('a person at the terminal is asked', async () => {
    const file = join(installation.folder, 'here.toml');
    writeFileSync(file, `data_dir = ${JSON.stringify(join(installation.folder, 'data'))}\n`);
    const words = ['queue', 'retry', '--all', '--config', file];
    const no = await runHere(words, false);
    assert.deepEqual(no.asked, ['This will retry 1 delivery. Go on?']);
    assert.deepEqual([no.code, no.out, no.err], [1, '', 'waybill: nothing was changed\n']);
    const yes = await runHere(words, true);
    assert.deepEqual([yes.code, yes.out], [0, '1  being tried right now\n']);
  });

  test('cancel waits for the attempt under way, and leaves its events behind', async () => {
    assert.deepEqual(await installation.json(['queue', 'cancel', '--all', '--yes']), {
      matched: 1,
      results: { requested: 1 },
    });
    const { out } = await installation.run(['queue', 'show', idAt(2)]);
    assert.match(out, /an attempt is under way; to be canceled after it/);
    const ended = await installation.run(['queue', 'cancel', idAt(0, ':1')]);
    assert.equal(ended.code, 1);
    assert.match(ended.out, /ended already/);
    const none = await installation.run(['queue', 'cancel', '--to', 'nobody@example.test', '--yes']);
    assert.deepEqual([none.code, none.out], [0, 'the queue holds no such delivery\n']);
    const store = openStore(pathsOf(installation).store);
    const types = store.all('SELECT type FROM outbox ORDER BY sequence').map((row) => row['type']);
    store.close();
    assert.deepEqual(types, ['canceled', 'canceled']);
  });
});

describe('sending to a server that does not answer', () => {
  const installation = newInstallation();
  const silent = createServer();
  after(() => {
    installation.remove();
    silent.close();
  });

  test('Ctrl-C ends it, and takes the credential of the mail away', async () => {
    await installation.json(['tenant', 'create', 'acme', '--domain', 'acme.test']);
    const credentials = () => {
      const store = openStore(pathsOf(installation).store);
      const rows = store.all("SELECT identifier FROM credentials WHERE protocol = 'smtp' ORDER BY 1");
      store.close();
      return rows.map((row) => String(row['identifier']));
    };
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const here = { host: '127.0.0.1', port };
    const run = { pid: process.pid, startedAt: 0, smtp: [here], http: here, token: 'x' };
    writeRunFile(join(installation.folder, 'data'), run);

    const words = ['--from', 'app@acme.test', '--to', 'ok@example.test', '--subject', 's', '--body', 'x'];
    const sending = installation.start(['send', ...words]);
    const [socket] = (await once(silent, 'connection')) as [Socket];
    assert.match(credentials().join(), /^acme,send-[0-9a-f]{16}$/);
    sending.process.kill('SIGINT');
    const { code, out, err } = await sending.ended;
    assert.deepEqual({ code, out }, { code: 1, out: '' });
    assert.match(err, /interrupted/);
    assert.deepEqual(credentials(), ['acme']);
    socket.destroy();
  });
});

describe('the configuration', () => {
  const installation = newInstallation();
  after(() => installation.remove());

  test('show tells every value and where it comes from, but no password', async () => {
    writeFileSync(
      join(installation.folder, 'waybill.toml'),
      'retry_schedule = "1m"\n[ledger]\nurl = "http://u:hunter2@h:8123"\n',
    );
    const environment = { WAYBILL_NEXT_HOP: 'smtp://relay:hunter2@mail.example.com:587' };
    const { options } = (await installation.json(['config', 'show'], { environment })) as {
      options: { key: string; value: string; source: string; environment: string }[];
    };
    const shown = new Map(options.map((option) => [option.key, option]));
    const { value, source } = shown.get('next_hop') ?? {};
    assert.deepEqual(
      [value, source],
      ['smtp://relay:[masked]@mail.example.com:587?tls=required', 'environment'],
    );
    assert.equal(shown.get('ledger.url')?.value, 'http://u:[masked]@h:8123');
    assert.deepEqual(
      [shown.get('retry_schedule')?.value, shown.get('retry_schedule')?.source],
      ['1m', 'file'],
    );
    assert.equal(shown.get('http.listen')?.environment, 'WAYBILL_HTTP_LISTEN');
    const { out } = await installation.run(['config', 'show'], { environment });
    assert.ok(!out.includes('hunter2') && /^next_hop +environment +smtp:/m.test(out), out);
  });

  test('check lists every problem at once, and repeats no value', async () => {
    const file = join(installation.folder, 'wrong.toml');
    writeFileSync(file, 'retry_schedule = "soon-hunter2"\nhostnam = "hunter2"\n');
    const environment = { WAYBILL_HTTP_LISTEN: 'hunter2', WAYBILL_SMTP_LISTEM: 'x' };
    for (const command of ['check', 'show']) {
      const { code, out, err } = await installation.run(['config', command, '--config', file], {
        environment,
      });
      assert.deepEqual({ code, out }, { code: 1, out: '' });
      for (const name of ['retry_schedule', 'hostnam', 'WAYBILL_HTTP_LISTEN', 'WAYBILL_SMTP_LISTEM']) {
        assert.ok(err.includes(name), `${name} in ${err}`);
      }
      assert.ok(!err.includes('hunter2'), err);
    }
    const { out } = await installation.run(['config', 'check', '--config', file, '--json'], { environment });
    assert.deepEqual([JSON.parse(out).ok, JSON.parse(out).problems.length], [false, 4]);
    const other = await installation.run(['tenant', 'list', '--config', file]);
    assert.equal(other.code, 1);
    assert.match(other.err, /the configuration is wrong:\n {2}file hostnam: .*\n {2}file retry_schedule: /);
    const sound = await installation.run(['config', 'check']);
    assert.deepEqual([sound.code, sound.out], [0, 'The configuration is sound.\n']);
  });
});
