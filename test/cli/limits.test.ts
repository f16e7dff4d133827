/** `waybill quota`, `retry`, `deny`, `suppression`, on an installation without a server. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newInstallation } from './run-waybill.ts';

const installation = newInstallation();
after(() => installation.remove());
before(() => installation.json(['tenant', 'create', 'acme', '--domain', 'acme.test']));

const run = (line: string) => installation.run(line.split(' '));
const json = (line: string) => installation.json(line.split(' '));

test('quotas are set, shown and ended', async () => {
  assert.partialDeepStrictEqual(await json('quota set acme --hour 10 --month 500:refuse --bytes 1MiB'), {
    tenant: 'acme',
    recipientsPerMail: null,
    bytesPerMail: 1_048_576,
    quotas: [
      { period: 'hour', most: 10, whenFull: 'hold', used: 0 },
      { period: 'month', most: 500, whenFull: 'refuse', used: 0 },
    ],
  });
  const { out } = await run('quota set acme --hour none --recipients 5');
  assert.equal(
    out,
    '500 recipients per month, more are refused; 0 used\n5 recipients per mail\n1048576 bytes per mail\n',
  );
  const shown = await run('quota show');
  assert.match(shown.out, /^acme +recipients per month +500 +0 +refuse +\d{4}-\d\d-01 00:00:00Z$/m);
  await run('quota set acme --month none --recipients none --bytes none');
  assert.deepEqual(await json('quota show'), { tenants: [] });
});

test('a retry schedule is set for one class or both, and ended', async () => {
  await json('retry set acme --schedule 1m,1h30m');
  const { schedules } = (await json('retry set acme --class bulk --schedule none')) as {
    schedules: object[];
  };
  assert.partialDeepStrictEqual(schedules, [
    { tenant: 'acme', class: 'transactional', waits: ['1m', '1h30m'], own: true },
    { tenant: 'acme', class: 'bulk', own: false },
  ]);
  assert.match((await run('retry show')).out, /^acme +transactional +own +1m, 1h30m$/m);
  const wrong = await run('retry set acme --schedule soon');
  assert.deepEqual([wrong.code, /--schedule: expected a duration/.test(wrong.err)], [2, true]);
});

test('rules are added, listed and removed', async () => {
  const { id } = (await json('deny add domain Spam.example --tenant acme')) as { id: number };
  assert.partialDeepStrictEqual(await json('deny add domain spam.example --tenant acme'), { id });
  assert.partialDeepStrictEqual(await json('deny list'), {
    rules: [{ id, tenant: 'acme', type: 'domain', data: 'spam.example' }],
  });
  const gone = await run(`deny remove ${id} 999 --tenant acme`);
  assert.deepEqual([gone.code, gone.out], [1, `${id}  removed\n999  no rule of acme\n`]);
});

test('lists are written, filtered and read', async () => {
  await json('suppression add ann@shop.example bob@shop.example --tenant acme --kind complaint --days 30');
  await json('suppression add ann@shop.example --tenant acme --domain acme.test');
  const found = (await json('suppression list --tenant acme --address ANN@shop.example')) as {
    total: number;
    suppressions: { kind: string; domain: string; createdAt: number; expiresAt: number | null }[];
  };
  assert.equal(found.total, 2);
  assert.deepEqual(
    found.suppressions.map(({ kind, domain }) => [kind, domain]),
    [
      ['complaint', ''],
      ['unsubscribe', 'acme.test'],
    ],
  );
  const [first, second] = found.suppressions;
  assert.equal((first?.expiresAt ?? 0) - (first?.createdAt ?? 0), 30 * 86_400_000);
  assert.equal(second?.expiresAt, null);
  assert.deepEqual(await json('suppression allow shop.example --tenant acme'), {
    tenant: 'acme',
    allowed: ['shop.example'],
  });
  const removed = await run('suppression remove ann@shop.example nobody@shop.example --tenant acme');
  assert.equal(removed.code, 1);
  assert.match(removed.out, /^ann@shop\.example +removed\nnobody@shop\.example +was on no such list\n$/);
});

test('what is wrong is said, and nothing is done', async () => {
  const rows: [string, number, RegExp][] = [
    ['quota set acme', 2, /say what to limit: --minute/],
    ['quota set acme --hour -1', 2, /--hour/],
    ['quota set acme --hour 10:drop', 2, /--hour: expected a number such as 1000/],
    ['quota set acme --recipients 0', 2, /--recipients: expected a number from 1/],
    ['quota set acme --bytes many', 2, /--bytes: expected/],
    ['quota set nobody --hour 1', 1, /there is no tenant "nobody"/],
    ['deny add subject x --tenant acme', 2, /"subject" is no type of rule/],
    ['deny add email acme.test --tenant acme', 1, /is no data for a rule "email"/],
    ['deny remove x --tenant acme', 2, /is no number of a rule/],
    ['suppression add nobody --tenant acme', 2, /"nobody" is no mail address/],
    ['suppression add a@b.example --tenant acme --kind spam', 2, /--kind: expected bounce/],
    ['suppression add a@b.example --tenant acme --days 0', 2, /--days: expected a number from 1/],
    ['suppression allow x@ --tenant acme', 1, /neither a mail address nor a domain; nothing was changed/],
    ['suppression allow other.example --tenant acme --end', 1, /is not on the allow list/],
    ['queue hold', 2, /name deliveries by id, describe them \(--tenant, --to, --state, --destination\)/],
    ['queue release', 2, /name deliveries by id, describe them \(--tenant, --to, --destination\)/],
    ['queue release --state queued', 2, /there is no option --state/],
  ];
  for (const [line, code, problem] of rows) {
    const ran = await run(line);
    assert.deepEqual([ran.code, ran.out], [code, ''], line);
    assert.match(ran.err, problem, line);
  }
});
