/** The web server of `mta-sts.…` hosts on loopback, with a certificate of its own. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { Identity } from './script-server.ts';

export interface PolicyReply {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Headers and no end. */
  endless?: boolean;
}

export interface PolicyServer {
  port: number;
  /** What each host is answered; who is not here gets 404. */
  replies: Map<string, PolicyReply>;
  /** Hosts asked for, in order, with the path. */
  requests: string[];
}

export async function startPolicyServer(t: TestContext, identity: Identity): Promise<PolicyServer> {
  const replies = new Map<string, PolicyReply>();
  const requests: string[] = [];
  const server = createServer({ key: identity.key, cert: identity.cert }, (request, response) => {
    const host = request.headers.host ?? '';
    requests.push(`${host}${request.url}`);
    const { status = 200, headers = {}, body = '', endless = false } = replies.get(host) ?? { status: 404 };
    response.writeHead(status, { 'content-type': 'text/plain', ...headers });
    if (endless) response.write('version: STSv1\n');
    else response.end(body);
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, replies, requests };
}

export function policyFile(mode: string, mx: readonly string[], maxAgeSeconds = 604_800): string {
  const lines = ['version: STSv1', `mode: ${mode}`, ...mx.map((name) => `mx: ${name}`)];
  return [...lines, `max_age: ${maxAgeSeconds}`, ''].join('\r\n');
}
