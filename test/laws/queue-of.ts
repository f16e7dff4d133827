/** The queue that a history leaves behind, with the outbox its events would come from. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MailEvent } from '../../src/events/event.ts';
import { createOutboxReader, type OutboxReader, openQueue, type Queue } from '../../src/queue/queue.ts';
import { openStore } from '../../src/store/store.ts';

export interface LivedQueue {
  queue: Queue;
  outbox: OutboxReader;
  close(): void;
}

export function queueOf(events: readonly MailEvent[]): LivedQueue {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-queue-'));
  const store = openStore(join(folder, 'store.sqlite'));
  const queue = openQueue(store);
  store.transaction(() => {
    for (const event of events) play(queue, event);
  });
  return {
    queue,
    outbox: createOutboxReader(store),
    close: () => {
      store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A refused mail has events, but nothing to deliver. */
function play(queue: Queue, { type, at, mail, delivery, status, engagement }: MailEvent): void {
  const { mailId } = mail;
  if (queue.mail(mailId) === null) queue.insertMail({ facts: mail, content: null });
  const before = queue.delivery(mailId, delivery.n);
  if (before !== null) queue.update(before, delivery);
  else if (type !== 'rejected')
    queue.insertDelivery(mailId, { destination: delivery.domain, facts: delivery });
  queue.record({ mailId, type, at, delivery, status, engagement });
}
