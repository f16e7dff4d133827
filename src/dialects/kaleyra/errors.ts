/**
 * Refusals. The vendor publishes none for its email API; these keep the envelope of its replies, with the
 * HTTP status repeated as the code (docs/deviations.md).
 */
import { z } from 'zod';

export const errorReply = z.object({
  data: z.array(z.never()),
  error: z.object({ code: z.string(), message: z.string() }),
});
export type ErrorBody = z.infer<typeof errorReply>;

export interface Refusal {
  ok: false;
  status: 400 | 401 | 403 | 404 | 500 | 503;
  message: string;
}

export const wrongKey: Refusal = {
  ok: false,
  status: 401,
  message: 'The api-key header is missing or holds no valid key',
};

export const foreignSid: Refusal = {
  ok: false,
  status: 403,
  message: 'The api-key does not belong to this SID',
};

export const unknownMessage: Refusal = { ok: false, status: 404, message: 'No message has this id' };

export const internalFault: Refusal = { ok: false, status: 500, message: 'Internal error' };

export function notNow(message: string): Refusal {
  return { ok: false, status: 503, message };
}

export function badRequest(message: string): Refusal {
  return { ok: false, status: 400, message };
}

export function errorBody({ status, message }: Refusal): ErrorBody {
  return { data: [], error: { code: String(status), message } };
}
