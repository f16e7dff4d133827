/** Every dialect behind one server, as in the product, each put through the shared cases. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { dialects } from '../../../src/dialects/dialects.ts';
import { type DialectWorld, openDialectWorld, type TestTenant } from '../../support/dialect-world.ts';
import { generateHistory, type History } from '../../support/histories.ts';
import { examine, type Setting } from './asking.ts';
import { cases } from './cases.ts';
import type { DialectDescription, Subject } from './description.ts';
import { kaleyra } from './kaleyra.ts';
import { mailbaby } from './mailbaby.ts';
import { mailgun } from './mailgun.ts';
import { submail } from './submail.ts';

const descriptions: readonly DialectDescription[] = [mailgun, mailbaby, kaleyra, submail];

const day = 24 * 3_600_000;
const now = Date.UTC(2026, 0, 2, 12);
const secret = 'only-of-the-other';

let world: DialectWorld;
const settings = new Map<DialectDescription, Setting>();

before(async () => {
  world = await openDialectWorld(dialects, now);
  const owner = world.createTenant();
  const other = world.createTenant();
  assert.ok(world.tenants.addSendingDomain(owner.tenantId, 'owner.example').ok);
  assert.ok(world.tenants.addSendingDomain(other.tenantId, 'other.example').ok);
  const mailId = await give(owner, 'owner.example', 1);
  const otherMailId = await give(other, 'other.example', 2);
  let nodeNumber = 2;
  for (const description of descriptions) {
    const { name } = description.dialect;
    const subjectOf = (tenant: TestTenant, sendingDomain: string, id: number): Subject => ({
      credentials: tenant.credentials[name] ?? {},
      streamId: tenant.streamId,
      sendingDomain,
      mailId: id,
      key: world.key,
    });
    settings.set(description, {
      world,
      app: world.serve({ ...description.settings }),
      subject: subjectOf(owner, 'owner.example', mailId),
      other: subjectOf(other, 'other.example', otherMailId),
      secrets: [secret],
      addMailOfOther: async () => {
        nodeNumber += 1;
        await give(other, 'other.example', nodeNumber);
      },
    });
  }
});
after(() => world.close());

/** Mail of the last days; returns the id of one. */
async function give(tenant: TestTenant, sendingDomain: string, nodeNumber: number): Promise<number> {
  const times = { from: now - 3 * day, to: now, edges: false };
  const history = generateHistory(nodeNumber, { mails: 20, tenants: 1, nodeNumber, ...times });
  const mark = sendingDomain === 'other.example' ? secret : 'own';
  const { events } = await world.append(marked(history, sendingDomain, mark), tenant);
  const accepted = events.find(({ delivery }) => delivery.state === 'delivered');
  assert.ok(accepted);
  return accepted.mail.mailId;
}

/** All in this domain; recipients, subject and Message-ID field bear the mark. */
function marked(history: History, sendingDomain: string, mark: string): History {
  const events = history.events.map((event) => ({
    ...event,
    mail: {
      ...event.mail,
      sendingDomain,
      reversePath: `bounces@${sendingDomain}`,
      fromField: { ...event.mail.fromField, address: `news@${sendingDomain}` },
      subject: mark,
      messageIdField: `${mark}.${event.mail.mailId}@${sendingDomain}`,
    },
    delivery: { ...event.delivery, forwardPath: `${mark}.${event.delivery.n}@to.${sendingDomain}` },
  }));
  return { ...history, events };
}

test('every dialect has a description here', () => {
  assert.deepEqual(
    descriptions.map(({ dialect }) => dialect.name).sort(),
    dialects.map(({ name }) => name).sort(),
  );
});

for (const description of descriptions) {
  for (const { name, run } of cases) {
    test(`${description.dialect.name}: ${name}`, async () => {
      const setting = settings.get(description);
      assert.ok(setting);
      await run(examine(description, setting));
    });
  }
}
