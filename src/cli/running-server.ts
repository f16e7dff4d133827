/** The running server, found by the run file in the data directory: where it listens, and what it is asked. */
import { get, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { limits } from '../base/limits.ts';
import { printHostAndPort } from '../base/network.ts';
import type { Config } from '../config/config.ts';
import { type ListeningAddress, type RunFile, readRunFile } from '../run-file.ts';
import { CommandProblem } from './command.ts';

/** No server, no connection, or one that broke: a server that starts again may be there soon. */
export class Unreachable extends CommandProblem {
  override name = 'Unreachable';
}

export function runningServer({ dataDir }: Config): RunFile {
  const run = readRunFile(dataDir);
  if (run !== null) return run;
  throw new Unreachable(`no server runs on ${dataDir}; start it with "waybill serve"`);
}

/** A server that listens everywhere is reached on this machine. */
export function reachable({ host, port }: ListeningAddress): ListeningAddress {
  if (host === '0.0.0.0') return { host: '127.0.0.1', port };
  return { host: host === '::' ? '::1' : host, port };
}

/** Of a question; those that are undefined are left out. */
export type Parameters = readonly (readonly [name: string, value: string | number | undefined])[];

/** Asks the operator's API. */
export async function askServer<T>(run: RunFile, path: string, parameters: Parameters): Promise<T> {
  const reply = await fetchReply(urlOf(run, path, parameters), run);
  if (!reply.ok) throw await problemOf(reply);
  return (await reply.json()) as T;
}

/** Has the operator's API do something. */
export async function tellServer<T>(run: RunFile, path: string, what: object): Promise<T> {
  const reply = await openReply(new URL(path, baseUrl(run)), run, {
    method: 'POST',
    body: JSON.stringify(what),
    headers: { 'content-type': 'application/json' },
    signal: AbortSignal.timeout(limits.consoleAnswerMs),
  });
  if (!reply.ok) throw await problemOf(reply);
  return (await reply.json()) as T;
}

export function baseUrl({ http }: RunFile): string {
  return `http://${printHostAndPort(reachable(http))}`;
}

/** An answer as text. */
export async function postToServer(run: RunFile, path: string, body: object): Promise<string> {
  const reply = await openReply(new URL(path, baseUrl(run)), run, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(limits.consoleAnswerMs),
  });
  if (!reply.ok) throw await problemOf(reply);
  return await reply.text();
}

/** A long answer, piece by piece; it throws when the connection breaks before its end. */
export async function* streamBytes(
  run: RunFile,
  path: string,
  parameters: Parameters,
): AsyncGenerator<Uint8Array> {
  const reply = await new Promise<IncomingMessage>((resolve, reject) => {
    // `fetch` gives up when nothing moves for five minutes; an engine at work may take longer.
    const headers = { authorization: `Bearer ${run.token}` };
    const request = get(urlOf(run, path, parameters), { headers }, resolve);
    request.on('error', (error) => reject(new Unreachable(`the server cannot be asked: ${error.message}`)));
  });
  if (reply.statusCode !== 200) {
    const said = await new Response(Readable.toWeb(reply) as ReadableStream, {
      status: reply.statusCode ?? 500,
    });
    throw await problemOf(said);
  }
  try {
    yield* reply as AsyncIterable<Buffer>;
  } catch (error) {
    throw new Unreachable(`the answer broke off: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function urlOf(run: RunFile, path: string, parameters: Parameters): URL {
  const url = new URL(path, baseUrl(run));
  for (const [name, value] of parameters)
    if (value !== undefined) url.searchParams.append(name, String(value));
  return url;
}

/** A long answer, line by line as it comes. */
export async function* streamLines(
  run: RunFile,
  path: string,
  { method }: { method: 'GET' | 'POST' },
): AsyncGenerator<string> {
  const reply = await openReply(new URL(path, baseUrl(run)), run, { method });
  if (!reply.ok || reply.body === null) throw await problemOf(reply);
  let begun = '';
  for await (const text of reply.body.pipeThrough(new TextDecoderStream())) {
    const lines = `${begun}${text}`.split('\n');
    begun = lines.pop() ?? '';
    yield* lines;
  }
}

async function problemOf(reply: Response): Promise<CommandProblem> {
  const body: unknown = await reply.json().catch(() => null);
  const problem = `the server answered ${reply.status}: ${detailOf(body)}`;
  return reply.status === 503 ? new Unreachable(problem) : new CommandProblem(problem);
}

function fetchReply(url: URL, run: RunFile): Promise<Response> {
  return openReply(url, run, { signal: AbortSignal.timeout(limits.consoleAnswerMs) });
}

async function openReply(url: URL, { token }: RunFile, more: RequestInit): Promise<Response> {
  try {
    return await fetch(url, {
      ...more,
      headers: { ...more.headers, authorization: `Bearer ${token}` },
      redirect: 'error',
    });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new Unreachable(
      `the server at ${url.origin} cannot be asked: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
}

function detailOf(body: unknown): string {
  const detail = typeof body === 'object' && body !== null && 'detail' in body ? body.detail : null;
  return typeof detail === 'string' ? detail : 'and did not say why';
}
