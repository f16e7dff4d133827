/**
 * What the laws are asked of: a real ledger and store behind the HTTP apps of all dialects, and tenants who
 * each lived a random history. One ledger for a whole file: every run is a tenant of its own in it.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Hono } from 'hono';
import { dialects } from '../../src/dialects/dialects.ts';
import type { MailEvent } from '../../src/events/event.ts';
import type { DeliveryRow } from '../../src/ledger/ledger.ts';
import { rowsOf } from '../support/delivery-rows.ts';
import { type DialectWorld, openDialectWorld, type TestTenant } from '../support/dialect-world.ts';
import {
  batchesOf,
  edgeZones,
  type MailPlan,
  mailPlanArbitrary,
  play,
  zoneEdges,
} from '../support/histories.ts';

/** After everything that a generated history holds, so that a window up to now covers it. */
export const now = Date.parse('2025-12-31T23:59:59Z');

/** Every tenant has both; reserved names may have several owners. */
export const sendingDomains = ['a.example', 'b.example'] as const;

export interface Life {
  plans: readonly MailPlan[];
  /** Of the tenant's days. */
  zone: string;
  /** Outbox order may differ from the order of time by up to this much. */
  latenessMs: number;
}

const hourMs = 3_600_000;

/** As many mails as any other number of them: few runs, and each should have something to say. */
export const plansArbitrary: fc.Arbitrary<MailPlan[]> = fc.noBias(
  fc.array(mailPlanArbitrary, { maxLength: 10 }),
);

/** All mail is sent around one or two of the instants that cut days: that is few months, and fast to append. */
export const lifeArbitrary: fc.Arbitrary<Life> = fc
  .record({
    plans: plansArbitrary,
    zone: fc.constantFrom(...edgeZones),
    latenessMs: fc.constantFrom(0, 0, 60_000),
    edges: fc.array(fc.constantFrom(...zoneEdges), { minLength: 1, maxLength: 2 }),
  })
  .map(({ edges, plans, ...life }) => ({
    ...life,
    plans: plans.map((plan) => ({ ...plan, acceptedAt: movedTo(edges, plan) })),
  }));

function movedTo(edges: readonly number[], { acceptedAt, variant }: MailPlan): number {
  return (edges[variant % edges.length] ?? 0) + (acceptedAt % (4 * hourMs)) - 2 * hourMs;
}

/** All mail has one of the sending domains, as mail of an authenticated sender has. */
export const ownedLifeArbitrary: fc.Arbitrary<Life> = lifeArbitrary.map(({ plans, ...life }) => ({
  ...life,
  plans: plans.map((plan) => ({ ...plan, sendingDomain: plan.sendingDomain || sendingDomains[0] })),
}));

/** A tenant after his history. */
export interface Account {
  tenant: TestTenant;
  /** The streams that the plans' two became. */
  streamIds: readonly number[];
  zone: string;
  /** In the order of the outbox. */
  events: readonly MailEvent[];
  /** What the history left behind, newest first: the truth that answers are measured by. */
  rows: readonly DeliveryRow[];
}

export interface LawWorld extends DialectWorld {
  /** All dialects; every question is answered afresh. */
  app: Hono;
  live(life: Life): Promise<Account>;
}

export async function openLawWorld(): Promise<LawWorld> {
  const world = await openDialectWorld(dialects, now);
  const app = world.serve({ 'dialects.submail.query_interval': 0 });
  let lives = 0;
  return {
    ...world,
    app,
    live: async (life) => {
      lives += 1;
      return await live(world, life, `outbox-${lives}`);
    },
  };
}

const plannedStreams = [10_001, 10_002];

async function live(world: DialectWorld, life: Life, node: string): Promise<Account> {
  const tenant = world.createTenant(life.zone);
  const streamIds = [tenant.streamId, world.addStream(tenant.tenantId)];
  for (const domain of sendingDomains)
    assert.ok(world.tenants.addSendingDomain(tenant.tenantId, domain).ok, domain);
  const plans = life.plans.map((plan) => ({
    ...plan,
    tenantId: tenant.tenantId,
    streamId: streamIds[plannedStreams.indexOf(plan.streamId)] ?? tenant.streamId,
  }));
  const history = play(plans, { node, latenessMs: life.latenessMs });
  for (const batch of batchesOf(history, 1000)) await world.ledger.append(batch);
  return { tenant, streamIds, zone: life.zone, events: history.events, rows: rowsOf(history) };
}

/**
 * Holds `check` to any of the given; a counterexample is shown with its seed. The time limit only ends the
 * search for a smaller one: the runs of a law take a few seconds.
 */
export async function holdsForAny<T>(
  arbitrary: fc.Arbitrary<T>,
  numRuns: number,
  check: (value: T) => Promise<void>,
): Promise<void> {
  const property = fc.asyncProperty(arbitrary, check);
  await fc.assert(property, { numRuns, interruptAfterTimeLimit: 180_000 });
}
