/**
 * Law 9: the projections hold nothing that the events do not say. Made anew from them, they give the same
 * answers, byte for byte.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { send } from '../conformance/dialect/asking.ts';
import type { Subject } from '../conformance/dialect/description.ts';
import { type Account, holdsForAny, type LawWorld, openLawWorld, ownedLifeArbitrary } from './law-world.ts';
import { descriptions, requestsOf } from './requests.ts';

let world: LawWorld;

before(async () => {
  world = await openLawWorld();
});
after(() => world.close());

function subjectOf({ tenant, rows }: Account, dialect: string): Subject {
  return {
    credentials: tenant.credentials[dialect] ?? {},
    streamId: tenant.streamId,
    sendingDomain: 'a.example',
    mailId: rows[0]?.mail.mailId ?? 1,
    key: world.key,
  };
}

/** What every request is answered, by its text. */
async function answersTo(account: Account): Promise<[request: string, answer: string][]> {
  const answers: [string, string][] = [];
  for (const description of descriptions) {
    for (const call of requestsOf(description, subjectOf(account, description.dialect.name))) {
      const reply = await send(world.app, call);
      description.assertAnswers(reply);
      answers.push([`${call.endpoint.path} ${JSON.stringify(call.parameters)}`, reply.text]);
    }
  }
  return answers;
}

test('law 9: projections made anew from the events give the same answers, byte for byte', async () => {
  const lived = ownedLifeArbitrary.filter(({ plans }) => plans.length > 0);
  const lives = fc.array(lived, { minLength: 1, maxLength: 2 });
  await holdsForAny(lives, 3, async (several) => {
    const accounts: Account[] = [];
    for (const life of several) accounts.push(await world.live(life));
    const told: Awaited<ReturnType<typeof answersTo>>[] = [];
    for (const account of accounts) told.push(await answersTo(account));
    await world.rebuild();
    for (const [at, account] of accounts.entries()) assert.deepEqual(await answersTo(account), told[at]);
  });
});
