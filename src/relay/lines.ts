/**
 * Lines before sites that are full. A place that becomes free at a site goes to the lane that stands first; a lane that
 * was served and has more joins at the end. Bounded: who finds a line full looks again after a while.
 */
import { limits } from '../base/limits.ts';
import type { MailClass } from '../protocol/smtp/envelope-options.ts';
import type { Lane } from '../queue/queue.ts';
import { classesAt } from './bulk-share.ts';

export interface Lines {
  /** Somebody stands there, or was called and has not gone yet. */
  has(site: string): boolean;
  /** Does nothing for a lane that stands there already. */
  join(site: string, lane: Lane): void;
  /** The first in line may go. */
  wake(site: string): void;
  /** Nothing is under way at the site, so no place will become free: all may go. */
  dissolve(site: string): void;
  hasWoken(): boolean;
  takeWoken(): Lane[];
}

interface Line {
  /** In the order they came, by their name. */
  lanes: Record<MailClass, Map<string, Lane>>;
  served: number;
}

export function createLines(): Lines {
  const lines = new Map<string, Line>();
  const woken = new Map<string, Lane[]>();

  const wakeAt = (site: string, ...lanes: Lane[]) => {
    if (lanes.length > 0) woken.set(site, [...(woken.get(site) ?? []), ...lanes]);
  };

  const first = ({ lanes, served }: Line): Lane | undefined => {
    const [preferred, other] = classesAt(served);
    const found = lanes[preferred].entries().next().value ?? lanes[other].entries().next().value;
    if (found === undefined) return undefined;
    const [name, lane] = found;
    lanes[lane.class].delete(name);
    return lane;
  };

  return {
    has: (site) => lines.has(site) || woken.has(site),
    join(site, lane) {
      const line = lines.get(site) ?? { lanes: { transactional: new Map(), bulk: new Map() }, served: 0 };
      const lanes = line.lanes[lane.class];
      if (lanes.size < limits.lanesInLine) lanes.set(`${lane.tenantId} ${lane.destination}`, lane);
      lines.set(site, line);
    },
    wake(site) {
      const line = lines.get(site);
      if (!line) return;
      const lane = first(line);
      line.served += 1;
      if (lane) wakeAt(site, lane);
      if (line.lanes.transactional.size + line.lanes.bulk.size === 0) lines.delete(site);
    },
    dissolve(site) {
      const line = lines.get(site);
      if (!line) return;
      wakeAt(site, ...line.lanes.transactional.values(), ...line.lanes.bulk.values());
      lines.delete(site);
    },
    hasWoken: () => woken.size > 0,
    takeWoken() {
      const lanes = [...woken.values()].flat();
      woken.clear();
      return lanes;
    },
  };
}
