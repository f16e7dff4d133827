/**
 * Reads a request body within bounds and takes it apart. Every accepted content type ends as the same
 * `Fields`, so that a handler need not know how its parameters travelled.
 */
import { limits } from '../base/limits.ts';
import { emptyFields, type Fields, fieldsOf } from './query.ts';

export type BodyOutcome =
  /** `json` is the value as sent when the body was JSON, else undefined. */
  { ok: true; fields: Fields; json: unknown } | { ok: false; status: 400 | 413 | 415; problem: string };

type Refusal = Extract<BodyOutcome, { ok: false }>;

export interface BodyBounds {
  bytes: number;
  fields: number;
}

const defaultBounds: BodyBounds = { bytes: limits.httpBodyBytes, fields: limits.httpFields };

/** An empty body has no fields, whatever its content type says. */
export async function readBody(request: Request, bounds: BodyBounds = defaultBounds): Promise<BodyOutcome> {
  const encoding = request.headers.get('content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') return refusal(415, 'compressed bodies are not accepted');
  const bytes = await readBytes(request, bounds.bytes);
  if (bytes === null) return refusal(413, `the body is larger than ${bounds.bytes} bytes`);
  if (bytes.length === 0) return { ok: true, fields: emptyFields(), json: undefined };
  const contentType = request.headers.get('content-type') ?? '';
  switch (contentType.split(';', 1)[0]?.trim().toLowerCase()) {
    case 'application/x-www-form-urlencoded':
      return readForm(bytes, bounds);
    case 'multipart/form-data':
      return await readMultipart(bytes, contentType, bounds);
    case 'application/json':
      return readJson(bytes, bounds);
    default:
      return refusal(
        415,
        'the body must be application/x-www-form-urlencoded, multipart/form-data or application/json',
      );
  }
}

/** Null when there is more than `maxBytes`; what follows is not read. */
async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array | null> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) return null;
  if (!request.body) return new Uint8Array();
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks, length);
    length += value.length;
    if (length > maxBytes) {
      await reader.cancel();
      return null;
    }
    chunks.push(value);
  }
}

function readForm(bytes: Uint8Array, bounds: BodyBounds): BodyOutcome {
  const text = new TextDecoder().decode(bytes);
  if (text.split('&', bounds.fields + 1).length > bounds.fields) return tooManyFields(bounds);
  return { ok: true, fields: fieldsOf(new URLSearchParams(text)), json: undefined };
}

/** Parts with a file name are no parameters and are passed over. */
async function readMultipart(
  bytes: Uint8Array,
  contentType: string,
  bounds: BodyBounds,
): Promise<BodyOutcome> {
  const form = await parseMultipart(bytes, contentType);
  if (!form) return refusal(400, 'the body is not valid multipart/form-data');
  const pairs: [string, string][] = [];
  for (const [name, value] of form) {
    if (typeof value === 'string') pairs.push([name, value]);
  }
  if (pairs.length > bounds.fields) return tooManyFields(bounds);
  return { ok: true, fields: fieldsOf(pairs), json: undefined };
}

async function parseMultipart(bytes: Uint8Array, contentType: string): Promise<FormData | null> {
  try {
    return await new Response(Buffer.from(bytes), { headers: { 'content-type': contentType } }).formData();
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

function readJson(bytes: Uint8Array, bounds: BodyBounds): BodyOutcome {
  const json = parseJson(new TextDecoder().decode(bytes));
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return refusal(400, 'the body is not a JSON object');
  }
  const pairs = Object.entries(json).flatMap(([name, value]) => fieldPairs(name, value));
  if (pairs.length > bounds.fields) return tooManyFields(bounds);
  return { ok: true, fields: fieldsOf(pairs), json };
}

/** Undefined for text that is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Null is absent; objects have no form as a field and stand in `json` only. */
function fieldPairs(name: string, value: unknown): [string, string][] {
  const values = Array.isArray(value) ? value : [value];
  return values
    .filter((one) => typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean')
    .map((one) => [name, String(one)]);
}

function tooManyFields(bounds: BodyBounds): Refusal {
  return refusal(400, `the body has more than ${bounds.fields} fields`);
}

function refusal(status: Refusal['status'], problem: string): Refusal {
  return { ok: false, status, problem };
}
