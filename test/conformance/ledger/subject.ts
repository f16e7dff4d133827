/**
 * What the cases work with: one ledger for all cases of a suite, and the comparison of what it says with
 * the plain counting of `reference.ts`. Each case brings tenants and a node of its own.
 */
import assert from 'node:assert/strict';
import type { EventType, MailEvent } from '../../../src/events/event.ts';
import type { Engine } from '../../../src/ledger/engine.ts';
import { type Ledger, ledgerOver } from '../../../src/ledger/ledger.ts';
import type { CountRow, Scope } from '../../../src/ledger/question.ts';
import { migrate } from '../../../src/ledger/schema/schema.ts';
import { batchesOf, type History, type MailPlan } from '../../support/histories.ts';
import { countByBucket, deliveries, eventsOf, fold } from './reference.ts';

export const everything = { offset: 0, limit: 10_000, direction: 'ascending' } as const;
export const allTime = { from: 0, to: Date.UTC(2100, 0) };

/** Options of a history that touches few partitions: appending it is quick. */
export const inOneMonth = { edges: false, from: Date.UTC(2025, 5, 3), to: Date.UTC(2025, 5, 20) };

export class Subject {
  readonly engine: Engine;
  readonly ledger: Ledger;
  #histories = 0;

  private constructor(engine: Engine) {
    this.engine = engine;
    this.ledger = ledgerOver(engine);
  }

  static async over(engine: Engine): Promise<Subject> {
    await migrate(engine);
    return new Subject(engine);
  }

  /** The history as if it had happened to tenants nobody else uses. */
  own({ events }: Pick<History, 'events'>): History {
    this.#histories += 1;
    const base = this.#histories * 1000;
    const moved = events.map((event) => ({
      ...event,
      mail: { ...event.mail, tenantId: base + event.mail.tenantId },
    }));
    return { node: `node-${this.#histories}`, events: moved };
  }

  async append(history: History, size = 1000): Promise<void> {
    for (const batch of batchesOf(history, size)) await this.ledger.append(batch);
  }

  /** Everything the ledger says about these events is what plain counting says. */
  async assertHolds(events: readonly MailEvent[]): Promise<void> {
    const folded = fold(events);
    for (const tenantId of new Set(events.map(({ mail }) => mail.tenantId))) {
      const scope = { tenantId };
      assert.deepEqual(await this.allEvents(scope), eventsOf(events, scope, {}));
      const page = await this.ledger.deliveries(scope, {}, everything);
      assert.deepEqual(page, deliveries(folded, scope, {}, everything));
      await this.#assertCounts(events, scope);
    }
  }

  async #assertCounts(events: readonly MailEvent[], scope: Scope): Promise<void> {
    const types: EventType[] = [...new Set(events.map(({ type }) => type))];
    for (const groupBy of [undefined, 'tag', 'device'] as const) {
      const question = { types, unit: 'day' as const, zone: 'UTC', ...(groupBy && { groupBy }) };
      const counts = await this.ledger.countByBucket(scope, question);
      assert.deepEqual(sorted(counts), sorted(countByBucket(events, scope, question)));
    }
  }

  async allEvents(scope: Scope, limit = 10_000): Promise<MailEvent[]> {
    const found: MailEvent[] = [];
    let page = await this.ledger.events(scope, {}, 'ascending', null, limit);
    for (found.push(...page.events); page.next; found.push(...page.events)) {
      page = await this.ledger.events(scope, {}, 'ascending', page.next, limit);
    }
    return found;
  }
}

/** A case gets its subject when it runs: the engine opens after the cases are listed. */
export type SubjectOf = () => Subject;

export function sorted(rows: readonly CountRow[]): CountRow[] {
  const name = ({ bucketAt, group, type, reason, authenticated, first }: CountRow) =>
    JSON.stringify([bucketAt, group, type, reason, authenticated, first]);
  return rows.toSorted((a, b) => (name(a) < name(b) ? -1 : 1));
}

/** One mail to one forward-path that is still queued. */
export function simplePlan(acceptedAt: number, variant: number): MailPlan {
  return {
    ...{ tenantId: 1, streamId: 10_001, sendingDomain: 'a.example', acceptedAt, subject: '', fromName: '' },
    ...{
      localPart: 'news',
      replyTo: '',
      tags: [],
      template: '',
      authenticated: true,
      nullReversePath: false,
    },
    variant,
    deliveries: [
      {
        ...{ forwardPath: 'ann@gmail.com', displayName: '', fate: 'queued', deferrals: 0 },
        ...{ heldFirst: false, stepMs: 1, variant, engagements: [] },
      },
    ],
  };
}

/** The tenant of a history of one tenant. */
export function tenantOf({ events }: History): Scope {
  const [first] = events;
  assert.ok(first);
  return { tenantId: first.mail.tenantId };
}
