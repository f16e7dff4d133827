/**
 * The vendor's error codes for its mail API, as far as `mail/log` can meet them. Every refusal is
 * HTTP 200 with `{"status":"error","code":"1xx","msg":…}`: published clients read the body of 200 only.
 * Faults of ours are HTTP 500, and 503 where asking later or for less helps, without a vendor code to imitate.
 */
import { z } from 'zod';

export const errorTexts = {
  101: 'Incorrect APP ID',
  102: 'This APP is disabled',
  107: 'Incorrect sign_type: it is normal, md5 or sha1',
  108: 'Invalid signature',
  109: 'Incorrect APP key',
  111: 'The signature is empty',
  119: 'Permission denied: no such APP in this account',
  151: 'The timestamp is missing or malformed',
  152: 'The timestamp is more than 6 seconds from the time of this server',
  413: 'The request is too large',
  500: 'Internal error',
  503: 'The log cannot answer now',
} as const;

export type ErrorCode = keyof typeof errorTexts;

/** The vendor's page quotes the code, two published clients decode a number. */
export type ErrorCodeType = 'string' | 'number';

export const errorReply = z.object({
  status: z.literal('error'),
  code: z.union([z.string(), z.int()]),
  msg: z.string(),
});
export type ErrorBody = z.infer<typeof errorReply>;

export function errorBody(code: ErrorCode, type: ErrorCodeType, msg: string = errorTexts[code]): ErrorBody {
  return { status: 'error', code: type === 'number' ? code : String(code), msg };
}

export function httpStatusOf(code: ErrorCode): 200 | 413 | 500 | 503 {
  return code === 413 || code === 500 || code === 503 ? code : 200;
}
