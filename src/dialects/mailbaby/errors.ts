/** Refusals in the shape of the vendor's: the HTTP status again as `code`, and one sentence. */
import { z } from 'zod';

export const errorReply = z.object({
  code: z.int().describe('The HTTP status.'),
  message: z.string(),
});
export type ErrorBody = z.infer<typeof errorReply>;

export interface Refusal {
  ok: false;
  status: 400 | 401 | 404;
  message: string;
}

export const wrongKey: Refusal = { ok: false, status: 401, message: 'API key is missing or invalid.' };

export const unknownOrder: Refusal = {
  ok: false,
  status: 404,
  message: 'The mail order does not exist or is not active.',
};

export const noActiveOrder: Refusal = { ok: false, status: 400, message: 'No active mail orders.' };

export function badParameter(name: string, rule: string): Refusal {
  return { ok: false, status: 400, message: `The parameter ${name} ${rule}.` };
}

export function errorBody({ status, message }: Pick<Refusal, 'message'> & { status: number }): ErrorBody {
  return { code: status, message };
}
