/**
 * A domain's MTA-STS policy over HTTPS (RFC 8461 §3.3). The domain chooses where we connect to and what we are sent, so
 * time, bytes and addresses have bounds, redirects are not followed, and the certificate must be valid for the host.
 */
import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { Deadline } from '../base/deadline.ts';
import { limits } from '../base/limits.ts';
import { isUsable, type Resolver } from '../dns/dns.ts';
import { type MtaStsPolicy, parseMtaStsPolicy } from '../protocol/mta-sts/mta-sts.ts';

export type FetchedPolicy = { policy: MtaStsPolicy } | { problem: string };
export type FetchPolicy = (domain: string) => Promise<FetchedPolicy>;

export interface FetchPolicyOptions {
  resolver: Resolver;
  /** Other than 443, and `loopback`, serve laboratories. */
  port?: number;
  loopback?: boolean;
  /** PEM certificates of authorities that are trusted instead of those of the system. */
  authorities?: readonly string[];
  /** For one address, from the first packet to the last byte. */
  timeoutMs?: number;
}

interface Place {
  host: string;
  address: string;
  port: number;
  authorities: readonly string[] | undefined;
  timeoutMs: number;
}

export function createFetchPolicy({
  resolver,
  port = 443,
  loopback = false,
  authorities,
  timeoutMs = limits.mtaStsFetchMs,
}: FetchPolicyOptions): FetchPolicy {
  return async (domain) => {
    const host = `mta-sts.${domain}`;
    const answers = await Promise.all([resolver.ipv4(host), resolver.ipv6(host)]);
    const addresses = answers
      .flatMap((answer) => ('found' in answer ? answer.found : []))
      .filter((address) => isUsable(address, { loopback }))
      .slice(0, limits.mtaStsAddresses);
    let problem = `${host} has no usable address`;
    for (const address of addresses) {
      const fetched = await fetchFrom({ host, address, port, authorities, timeoutMs });
      if ('policy' in fetched) return fetched;
      problem = fetched.problem;
    }
    return { problem };
  };
}

async function fetchFrom(place: Place): Promise<FetchedPolicy> {
  const file = await fetchFile(place);
  if (typeof file !== 'string') return file;
  const policy = parseMtaStsPolicy(file);
  return 'problem' in policy ? policy : { policy };
}

function fetchFile({
  host,
  address,
  port,
  authorities,
  timeoutMs,
}: Place): Promise<string | { problem: string }> {
  return new Promise((resolve) => {
    const asked = request({
      ...{ host: address, port, path: '/.well-known/mta-sts.txt', servername: host, agent: false },
      headers: { host, accept: 'text/plain' },
      maxHeaderSize: limits.mtaStsPolicyBytes,
      checkServerIdentity: (_, { raw }) => identityProblem(raw, host),
      ...(authorities === undefined ? {} : { ca: [...authorities] }),
    });
    const end = (outcome: string | { problem: string }) => {
      deadline.clear();
      asked.destroy();
      resolve(outcome);
    };
    const fail = (error: Error) => end({ problem: error.message.slice(0, limits.echoedChars) });
    const deadline = new Deadline((ms) => end({ problem: `no policy within ${ms / 1000} seconds` }));
    deadline.set(timeoutMs);
    asked.on('error', fail);
    asked.once('response', (response) => {
      response.on('error', fail);
      const refused = refusalOf(response);
      if (refused === null) collect(response, end);
      else end({ problem: refused });
    });
    asked.end();
  });
}

/** RFC 8461 §3.3: by a name of the host (DNS-ID), not by the common name; a wildcard only for the whole first label. */
function identityProblem(certificate: Buffer, host: string): Error | undefined {
  const found = new X509Certificate(certificate).checkHost(host, {
    subject: 'never',
    partialWildcards: false,
  });
  return found === undefined ? new Error(`the certificate is not for ${host}`) : undefined;
}

function refusalOf({ statusCode, headers }: IncomingMessage): string | null {
  if (statusCode !== 200) return `answered with status ${statusCode}`;
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  return type === 'text/plain' ? null : 'the policy is not text/plain';
}

function collect(response: IncomingMessage, end: (outcome: string | { problem: string }) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes > limits.mtaStsPolicyBytes) end({ problem: 'the policy is too long' });
  });
  response.once('end', () => end(Buffer.concat(chunks).toString('utf8')));
  response.once('aborted', () => end({ problem: 'the policy ended in the middle' }));
}
