/**
 * `POST /api/v1/snapshots`: store, spool and ledger of one moment, put into a folder of the data directory for
 * `waybill backup`. Takes as long as the store takes to copy, so the answer is lines: an empty one now and then, and at
 * the end one of JSON.
 */
import type { Hono } from 'hono';
import { z } from 'zod';
import type { Clock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import type { Endpoint } from '../../http/endpoint.ts';
import { recordFault } from '../../http/fault.ts';
import { problemReply } from '../../http/problem.ts';
import { refusals, security } from '../parameters.ts';

export type TakeSnapshot = () => Promise<unknown>;

export const snapshotsEndpoint: Endpoint = {
  method: 'post',
  path: '/api/v1/snapshots',
  summary: 'Put store, spool and ledger of one moment into a folder of the data directory',
  description:
    'For `waybill backup`, which copies the folder and removes it. The answer is lines of text: empty ones while the ' +
    'work goes on, then one of JSON, `{"snapshot":…}` or `{"problem":"…"}`.',
  security,
  replies: {
    200: {
      description: 'The work has begun.',
      contentType: 'application/x-ndjson',
      schema: z.object({ snapshot: z.looseObject({ directory: z.string() }) }),
    },
    ...refusals,
    409: { description: 'Another one is being made.', contentType: 'application/problem+json' },
  },
};

export function mountSnapshots(
  app: Hono,
  { snapshot, clock }: { snapshot: TakeSnapshot; clock: Clock },
): void {
  let underWay = false;
  app.post(snapshotsEndpoint.path, (c) => {
    if (underWay) {
      return problemReply({
        status: 409,
        title: 'Conflict',
        detail: 'Another snapshot is being made; try again later.',
      });
    }
    underWay = true;
    const done = snapshot()
      .then(
        (made) => ({ snapshot: made }),
        (fault: Error) => {
          recordFault(c, fault);
          return { problem: fault.message };
        },
      )
      .finally(() => {
        underWay = false;
      });
    const body = ReadableStream.from(linesUntil(done, clock));
    return new Response(body, { headers: { 'content-type': 'application/x-ndjson' } });
  });
}

/** Something moves on the connection, or it would be cut as idle. */
async function* linesUntil(done: Promise<object>, clock: Clock): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for (;;) {
    const enough = new AbortController();
    const result = await Promise.race([done, clock.sleep(limits.httpPulseMs, enough.signal)]);
    enough.abort();
    yield encoder.encode(result === undefined ? '\n' : `${JSON.stringify(result)}\n`);
    if (result !== undefined) return;
  }
}
