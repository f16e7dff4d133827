/**
 * Three tenants, random histories, random questions: no answer to one holds a byte of another, whatever is
 * asked; and mail of the others changes no byte of it. The others' texts bear a mark that nothing else has.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { relayIdOf, sendIdOf, uuidOf } from '../../src/base/id.ts';
import { send } from '../conformance/dialect/asking.ts';
import { hostileValues } from '../conformance/dialect/cases.ts';
import type { Call, DialectDescription, Parameter, Subject } from '../conformance/dialect/description.ts';
import type { TestTenant } from '../support/dialect-world.ts';
import { batchesOf, type History, type MailPlan, play } from '../support/histories.ts';
import { holdsForAny, type LawWorld, openLawWorld, plansArbitrary } from './law-world.ts';
import { broadCall, descriptions, guardedEndpoints, knownParameters } from './requests.ts';

const runs = 6;
const marks = ['zq1qz', 'zq2qz', 'zq3qz'] as const;

interface Party {
  mark: string;
  sendingDomain: string;
  tenant: TestTenant;
  /** Not in the ledger before it is appended. */
  history: History;
}

let world: LawWorld;
let parties = 0;

before(async () => {
  world = await openLawWorld();
});
after(() => world.close());

/** The plans of one tenant, every text of them marked. */
function partyOf(mark: (typeof marks)[number], plans: readonly MailPlan[]): Party {
  parties += 1;
  const tenant = world.createTenant();
  const sendingDomain = `${mark}.example`;
  assert.ok(world.tenants.addSendingDomain(tenant.tenantId, sendingDomain).ok);
  const own = plans.map((plan) => ({
    ...marked(mark, plan),
    sendingDomain,
    tenantId: tenant.tenantId,
    streamId: tenant.streamId,
  }));
  // Mails of two tenants in one millisecond differ by the node.
  const nodeNumber = 1 + marks.indexOf(mark);
  return { mark, sendingDomain, tenant, history: play(own, { node: `${mark}-${parties}`, nodeNumber }) };
}

function marked(mark: string, plan: MailPlan): MailPlan {
  return {
    ...plan,
    subject: `${mark} ${plan.subject}`,
    fromName: `${mark} ${plan.fromName}`,
    localPart: `${mark}.${plan.localPart}`,
    replyTo: plan.replyTo && `${mark}.${plan.replyTo}`,
    tags: plan.tags.map((tag) => `${mark} ${tag}`),
    template: plan.template && `${mark}-${plan.template}`,
    deliveries: plan.deliveries.map((delivery) => ({
      ...delivery,
      forwardPath: `${mark}.${delivery.forwardPath.replace('@', `@${mark}.`)}`,
      displayName: `${mark} ${delivery.displayName}`,
    })),
  };
}

async function append({ history }: Party): Promise<void> {
  for (const batch of batchesOf(history, 1000)) await world.ledger.append(batch);
}

function subjectOf({ tenant, sendingDomain, history }: Party, { dialect }: DialectDescription): Subject {
  return {
    credentials: tenant.credentials[dialect.name] ?? {},
    streamId: tenant.streamId,
    sendingDomain,
    mailId: history.events[0]?.mail.mailId ?? 1,
    key: world.key,
  };
}

/** What names this party's mail, as any dialect writes it. */
function namesOf({ mark, sendingDomain, tenant, history }: Party): string[] {
  const { apiKey = '', sid = '' } = { ...tenant.credentials['mailbaby'], ...tenant.credentials['kaleyra'] };
  const named = history.events.flatMap(({ mail, delivery: { n, forwardPath } }) => [
    String(mail.mailId),
    relayIdOf(mail.mailId),
    uuidOf(world.key, mail.mailId),
    `${uuidOf(world.key, mail.mailId)}:${n}`,
    sendIdOf(world.key, { mailId: mail.mailId, n }),
    mail.messageIdField,
    mail.subject,
    mail.fromField.address,
    forwardPath,
  ]);
  return [...new Set([mark, sendingDomain, sid, apiKey, `mb${tenant.streamId}`, ...named])];
}

/* ---- the questions ---- */

/** Picks an endpoint, one of its parameters (of the path as well), and what is put there. */
interface Pick {
  endpoint: number;
  parameter: number;
  /** A name of another party, or text that hurts. */
  foreign: boolean;
  value: number;
}

const wildcards: readonly string[] = [
  '%',
  '_',
  '*',
  '%zq%',
  '10000000',
  '9007199254740993',
  '999999999999',
  '-1',
  'zq',
  '@',
  '.example',
];

const picks: fc.Arbitrary<Pick[]> = fc.array(
  fc.record({
    endpoint: fc.nat({ max: 1000 }),
    parameter: fc.nat({ max: 1000 }),
    foreign: fc.boolean(),
    value: fc.nat({ max: 1000 }),
  }),
  { minLength: 10, maxLength: 20 },
);

/** Signed by the asker; some of it names what the others have. */
interface Question {
  description: DialectDescription;
  call: Call;
}

function pickedQuestion(asker: Party, others: readonly Party[], pick: Pick): Question {
  const places = descriptions.flatMap((description) =>
    guardedEndpoints(description).map((endpoint) => ({ description, endpoint })),
  );
  const { description, endpoint } = ofTable(places, pick.endpoint);
  const subject = subjectOf(asker, description);
  const inPath = Object.keys(endpoint.pathParameters ?? {});
  const name = ofTable([...inPath, ...knownParameters(endpoint)], pick.parameter);
  const value = pick.foreign
    ? ofTable(
        others.flatMap((other) => [String(other.tenant.streamId), ...namesOf(other)]),
        pick.value,
      )
    : ofTable([...wildcards, ...hostileValues], pick.value);
  const call = broadCall(description, endpoint, subject);
  const changed = inPath.includes(name)
    ? { ...call, path: { ...call.path, [name]: value } }
    : { ...call, parameters: [...call.parameters.filter(([known]) => known !== name), given(name, value)] };
  return { description, call: description.sign(changed, subject.credentials) };
}

function ownQuestions(asker: Party): Question[] {
  return descriptions.flatMap((description) => {
    const subject = subjectOf(asker, description);
    return guardedEndpoints(description).map((endpoint) => {
      const call = broadCall(description, endpoint, subject);
      return { description, call: description.sign(call, subject.credentials) };
    });
  });
}

/** Everything about another party that an API lets its callers name. */
function foreignQuestions(asker: Party, other: Party): Question[] {
  return descriptions.flatMap((description) => {
    const [subject, foreign] = [subjectOf(asker, description), subjectOf(other, description)];
    return description
      .foreignCalls(subject, foreign)
      .map((call) => ({ description, call: description.sign(call, subject.credentials) }));
  });
}

function given(name: string, value: string): Parameter {
  return [name, value];
}

function ofTable<T>(table: readonly T[], number: number): T {
  const found = table[number % table.length];
  assert.ok(found !== undefined);
  return found;
}

async function answer({ call }: Question): Promise<string> {
  const { status, text } = await send(world.app, call);
  assert.ok(status < 500, text);
  return `${status} ${text}`;
}

/* ---- the answers ---- */

/** Text that hides in another text: page links carry base64. */
function unfolded(text: string): string {
  const hidden = text.match(/[A-Za-z0-9_-]{16,}/g) ?? [];
  return [text, ...hidden.map((token) => Buffer.from(token, 'base64url').toString('utf8'))].join('\n');
}

/** A refusal may repeat what the asker wrote; nothing else of the other may stand in an answer. */
function assertNothingOf(other: Party, question: Question, text: string): void {
  const { parameters, path } = question.call;
  const written = [...parameters.map(([, value]) => value), ...Object.values(path)];
  const told = unfolded(text);
  for (const name of namesOf(other)) {
    const asWritten = JSON.stringify(name).slice(1, -1);
    if (written.some((value) => value.includes(name))) continue;
    assert.equal(told.includes(asWritten), false, `${question.call.endpoint.path} tells ${name}: ${text}`);
  }
}

test('no answer to one tenant holds a byte of another, or changes with the mail of another', async () => {
  await holdsForAny(fc.tuple(plansArbitrary, picks), runs, async ([all, picked]) => {
    const three = marks.map((mark, at) =>
      partyOf(
        mark,
        all.filter(({ tenantId }) => tenantId === at + 1),
      ),
    );
    const [asker, ...others] = three;
    assert.ok(asker);
    await append(asker);
    const questions = [
      ...ownQuestions(asker),
      ...others.flatMap((other) => foreignQuestions(asker, other)),
      ...picked.map((pick) => pickedQuestion(asker, others, pick)),
    ];
    const alone: string[] = [];
    for (const question of questions) alone.push(await answer(question));
    for (const other of others) await append(other);
    for (const [at, question] of questions.entries()) {
      const text = await answer(question);
      assert.equal(text, alone[at], question.call.endpoint.path);
      for (const other of others) assertNothingOf(other, question, text);
    }
    await assertTold(three);
  });
});

/** Each is told of his own mail and of no one else's; so the marks would be seen if they stood anywhere. */
async function assertTold(three: readonly Party[]): Promise<void> {
  for (const asker of three.filter(({ history }) => history.events.length > 0)) {
    let told = '';
    for (const question of ownQuestions(asker)) {
      const text = await answer(question);
      told += text;
      for (const other of three.filter((one) => one !== asker)) assertNothingOf(other, question, text);
    }
    for (const { mail } of asker.history.events.slice(0, 1)) assert.ok(told.includes(mail.fromField.address));
  }
}
