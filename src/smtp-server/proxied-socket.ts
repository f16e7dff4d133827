/** Takes the PROXY header off the front of a connection and gives the rest back to it. */
import type { Socket } from 'node:net';
import { Deadline } from '../base/deadline.ts';
import { limits } from '../base/limits.ts';
import { type ProxiedClient, parseProxyHeader } from './proxy-header.ts';

export type ReadHeader = { client: ProxiedClient | null } | { problem: string };

/** The socket is paused then, and nobody listens to it. */
export function readProxyHeader(socket: Socket): Promise<ReadHeader> {
  return new Promise((resolve) => {
    let bytes: Buffer = Buffer.alloc(0);
    const done = (result: ReadHeader) => {
      deadline.clear();
      socket.pause();
      for (const event of ['data', 'end', 'close'] as const) socket.removeAllListeners(event);
      resolve(result);
    };
    const deadline = new Deadline(() => done({ problem: 'it did not come in time' }));
    deadline.set(limits.proxyHeaderMs);
    socket.on('data', (piece: Buffer) => {
      bytes = Buffer.concat([bytes, piece]);
      const header = parseProxyHeader(bytes);
      if (header.state === 'more') return;
      if (header.state === 'malformed') return done({ problem: header.problem });
      const rest = bytes.subarray(header.bytes);
      done({ client: header.client });
      if (rest.length > 0) socket.unshift(rest);
    });
    socket.on('end', () => done({ problem: 'the connection ended before it' }));
    socket.on('close', () => done({ problem: 'the connection was lost before it' }));
    // Stays until a session listens: an error without a listener would end the process.
    socket.on('error', () => socket.destroy());
  });
}
