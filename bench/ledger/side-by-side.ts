/**
 * What a heavy question does to others: a page of a small tenant and an append of one event, alone and while a large
 * tenant's whole log is searched again and again. The events go to a node and tenant of their own.
 */
import type { MailEvent } from '../../src/events/event.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { historyBlocks } from './history.ts';
import { timesOf } from './timing.ts';

export interface Together {
  heavy: number;
  light: number;
  repeat: number;
}

type Times = Awaited<ReturnType<typeof timesOf>>;

export interface SideBySide {
  pageAlone: Times;
  appendAlone: Times;
  page: Times;
  append: Times;
  heavyAnswers: number;
}

const page = { offset: 0, limit: 100, direction: 'descending' } as const;

export async function sideBySide(ledger: Ledger, { heavy, light, repeat }: Together): Promise<SideBySide> {
  const askPage = () => ledger.deliveries({ tenantId: light }, {}, page);
  const appendOne = appender(ledger);
  const [pageAlone, appendAlone] = [await timesOf(askPage, repeat), await timesOf(appendOne, repeat)];
  const going = { on: true, answers: 0 };
  const heavyOnes = (async () => {
    while (going.on) {
      await ledger.deliveries(
        { tenantId: heavy },
        { messageIdContains: `no such id ${going.answers}` },
        page,
      );
      going.answers += 1;
    }
  })();
  const [pageTimes, appendTimes] = [await timesOf(askPage, repeat), await timesOf(appendOne, repeat)];
  going.on = false;
  await heavyOnes;
  return { pageAlone, appendAlone, page: pageTimes, append: appendTimes, heavyAnswers: going.answers };
}

function appender(ledger: Ledger): () => Promise<void> {
  const [pattern] = historyBlocks(1e5, 1).next().value ?? [];
  if (!pattern) throw new Error('a history without events');
  const node = `bench-${process.pid}`;
  let sequence = 0;
  return () => {
    sequence += 1;
    const mail = { ...pattern.mail, tenantId: 1_000_000 };
    const event: MailEvent = { ...pattern, sequence, mail };
    return ledger.append({ node, first: sequence, last: sequence, events: [event] });
  };
}
