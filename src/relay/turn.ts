/**
 * One look at what is due: who gets the places there are. By class (`bulk-share.ts`), then one attempt for each tenant
 * in turn, then the tenant's destinations in turn. It costs as much as is taken: lanes whose site takes nothing are parked,
 * and everything else is a step along an index, so a million waiting deliveries slow nobody.
 */
import { limits } from '../base/limits.ts';
import type { MailClass } from '../protocol/smtp/envelope-options.ts';
import type { Lane, LeasedDelivery, QueueLanes } from '../queue/queue.ts';
import { classesAt } from './bulk-share.ts';
import type { Lease, Leases } from './leases.ts';

export interface Turn {
  /** Not written yet. */
  leases: Lease[];
  /** `warmUpUntil`: it is held by a warm-up, whose next day begins then. */
  parked: { lane: Lane; until: number; warmUpUntil: number | null }[];
  /** Lanes whose site rests, and what was to end before when need not wait for it. */
  resting: { lane: Lane; expireBefore: number }[];
  /** Something may be due that has no place, or that was not come to. */
  more: boolean;
  /** Classes of which something may wait for a place that anybody could have: new mail stands behind it. */
  waiting: Set<MailClass>;
}

export interface TurnDeps {
  queue: QueueLanes;
  leases: Leases;
  now(): number;
}

export interface Turns {
  take(): Turn;
}

export function createTurns(deps: TurnDeps): Turns {
  /** The tenant that was served last, by class: the next look goes on behind it. */
  const servedLast: Record<MailClass, number> = { transactional: 0, bulk: 0 };
  let served = 0;
  return {
    take() {
      const look = new Look(deps);
      look.serveInTurn(deps.leases.takeWoken());
      const rings = {
        transactional: new TenantRing('transactional', servedLast.transactional, look),
        bulk: new TenantRing('bulk', servedLast.bulk, look),
      };
      while (deps.leases.room() > 0) {
        const [preferred, other] = classesAt(served);
        if (!rings[preferred].serve() && !rings[other].serve()) break;
        served += 1;
      }
      if (deps.leases.room() === 0) look.noteWaiting('transactional', 'bulk');
      servedLast.transactional = rings.transactional.last;
      servedLast.bulk = rings.bulk.last;
      return look;
    },
  };
}

/** What one look has found so far. */
class Look implements Turn {
  readonly leases: Lease[] = [];
  readonly parked: Turn['parked'] = [];
  readonly resting: Turn['resting'] = [];
  more = false;
  readonly waiting = new Set<MailClass>();
  readonly deps: TurnDeps;
  readonly now: number;
  readonly #taken = new Set<string>();

  constructor(deps: TurnDeps) {
    this.deps = deps;
    this.now = deps.now();
  }

  noteWaiting(...classes: MailClass[]): void {
    this.more = true;
    for (const mailClass of classes) this.waiting.add(mailClass);
  }

  /** False if there is nothing more that can go. */
  serve(turn: LaneTurn): boolean {
    const lease = turn.next();
    if (lease) this.leases.push(lease);
    return lease !== null;
  }

  /** Until each has nothing more that can go. */
  serveInTurn(lanes: readonly Lane[]): void {
    const ring = lanes.map((lane) => new LaneTurn(lane, this));
    for (let lane = ring.shift(); lane; lane = ring.shift()) if (this.serve(lane)) ring.push(lane);
  }

  has({ mailId, n }: LeasedDelivery): boolean {
    return this.#taken.has(`${mailId}:${n}`);
  }

  /** The delivery, and those of the same mail that go to the same site. */
  take(first: LeasedDelivery, lane: Lane): Lease {
    const { leases, queue } = this.deps;
    const key = leases.keyOf(lane.destination);
    const mates = queue
      .dueOfMail(first.mailId, { now: this.now, limit: limits.forwardPathsPerMail })
      .filter((mate) => leases.keyOf(mate.destination) === key && !this.has(mate));
    const mail = { mailId: first.mailId, tenantId: lane.tenantId, class: lane.class };
    const numbers = mates.map(({ n }) => n);
    const lease = leases.take(mail, lane.destination, numbers);
    for (const n of lease.numbers) this.#taken.add(`${first.mailId}:${n}`);
    return lease;
  }
}

/** The tenants of one class with something due, round and round; found as they are needed. */
class TenantRing {
  last: number;
  readonly #class: MailClass;
  readonly #look: Look;
  readonly #begin: number;
  /** How far the index was walked; null: all the way round. */
  #after: number | null;
  #wrapped = false;
  #steps = 0;
  readonly #again: TenantTurn[] = [];

  constructor(mailClass: MailClass, begin: number, look: Look) {
    this.last = begin;
    this.#class = mailClass;
    this.#begin = begin;
    this.#after = begin;
    this.#look = look;
  }

  /** One attempt for the tenant whose turn it is. False if no tenant has anything that can go. */
  serve(): boolean {
    for (let tenant = this.#next(); tenant; tenant = this.#next()) {
      if (!this.#mayServe(tenant.id) || !tenant.serve()) continue;
      this.last = tenant.id;
      this.#again.push(tenant);
      return true;
    }
    return false;
  }

  #mayServe(tenantId: number): boolean {
    const { leases } = this.#look.deps;
    if (leases.hasPlaceFor(this.#class, tenantId)) return true;
    this.#look.more = true;
    if (this.#class === 'bulk') this.#look.waiting.add('bulk');
    return false;
  }

  #next(): TenantTurn | undefined {
    return this.#found() ?? this.#again.shift();
  }

  #found(): TenantTurn | undefined {
    while (this.#after !== null) {
      const found = this.#step(this.#after);
      if (found !== null && found.lookAt <= this.#look.now)
        return new TenantTurn(found.tenantId, this.#class, this.#look);
    }
    return undefined;
  }

  #step(after: number): { tenantId: number; lookAt: number } | null {
    const found = this.#look.deps.queue.nextTenant(this.#class, after);
    this.#steps += 1;
    if (found === null && !this.#wrapped) {
      this.#wrapped = true;
      this.#after = -1;
      return null;
    }
    const round = found === null || (this.#wrapped && found.tenantId > this.#begin);
    if (!round && this.#steps < limits.tenantsPerLook) {
      this.#after = found.tenantId;
      return found;
    }
    this.#after = null;
    // So many tenants wait for their time that the rest is for the next look.
    if (!round) this.last = after;
    return null;
  }
}

/** The lanes of one tenant and class with something due, round and round. */
class TenantTurn {
  readonly id: number;
  readonly #class: MailClass;
  readonly #look: Look;
  #lanes: LaneTurn[] | null = null;

  constructor(id: number, mailClass: MailClass, look: Look) {
    this.id = id;
    this.#class = mailClass;
    this.#look = look;
  }

  serve(): boolean {
    this.#lanes ??= this.#dueLanes();
    for (let lane = this.#lanes.shift(); lane; lane = this.#lanes.shift()) {
      if (!this.#look.serve(lane)) continue;
      this.#lanes.push(lane);
      return true;
    }
    return false;
  }

  #dueLanes(): LaneTurn[] {
    const { now, deps } = this.#look;
    const lanes = deps.queue.dueLanes(this.#class, this.id, { now, limit: limits.lanesPerLook });
    if (lanes.length === limits.lanesPerLook) this.#look.more = true;
    return lanes.map((lane) => new LaneTurn(lane, this.#look));
  }
}

class LaneTurn {
  readonly #lane: Lane;
  readonly #look: Look;
  #due: LeasedDelivery[] | null = null;

  constructor(lane: Lane, look: Look) {
    this.#lane = lane;
    this.#look = look;
  }

  /** Null: nothing more that can go now. */
  next(): Lease | null {
    const { leases } = this.#look.deps;
    if (!leases.hasPlaceFor(this.#lane.class, this.#lane.tenantId)) return null;
    this.#due ??= this.#firstDue();
    let head = this.#due.shift();
    while (head && this.#look.has(head)) head = this.#due.shift();
    if (!head) return null;
    const refusal = leases.refusalOf(this.#lane);
    if (refusal === null) return this.#look.take(head, this.#lane);
    const { until, expireBefore, warmUpUntil } = refusal;
    const lookAt = warmUpUntil === null ? until : Math.min(until, this.#look.now + limits.warmUpLookMs);
    this.#look.parked.push({ lane: this.#lane, until: lookAt, warmUpUntil });
    if (expireBefore !== null) this.#look.resting.push({ lane: this.#lane, expireBefore });
    return null;
  }

  #firstDue(): LeasedDelivery[] {
    const { now, deps } = this.#look;
    const due = deps.queue.dueIn(this.#lane, { now, limit: limits.deliveriesPerLook });
    if (due.length === limits.deliveriesPerLook) this.#look.more = true;
    return due;
  }
}
