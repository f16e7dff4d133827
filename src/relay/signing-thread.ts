/**
 * One thread that makes signatures, batch after batch: what comes in while it is at one is the next. An RSA signature
 * costs more than everything else that is done to a small mail; to hand over each by itself, and to be woken for each,
 * costs a third as much again. Mails whose signatures come back together also share a commit.
 */
import type { KeyObject } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { afterThisTurn } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { SignedBatch, SigningBatch } from './signing-worker.ts';

export interface SigningThread {
  /** `hash`: null where the algorithm has its own within. Rejects when the key does not sign, or the thread ended. */
  sign(hash: string | null, input: Uint8Array, key: KeyObject): Promise<Buffer>;
}

interface Order {
  hash: string | null;
  input: Uint8Array;
  key: KeyObject;
  resolve(signature: Buffer): void;
  reject(fault: Error): void;
}

const signingWorker = new URL('./signing-worker.ts', import.meta.url);

/** Starts with the first signature, again after it ended, and keeps no process alive unless it is at work. */
export function createSigningThread(program = signingWorker): SigningThread {
  const waiting: Order[] = [];
  let atWork: Order[] = [];
  let thread: Worker | null = null;

  const handOver = (): void => {
    if (atWork.length > 0) return;
    if (waiting.length === 0) {
      thread?.unref();
      return;
    }
    thread ??= start();
    thread.ref();
    atWork = waiting.splice(0, limits.signingBatch);
    thread.postMessage(batchOf(atWork));
  };

  const start = (): Worker => {
    const started = new Worker(program);
    started.on('message', (answer: SignedBatch) => {
      settle(answer);
      handOver();
    });
    let why = 'the signing thread ended';
    started.on('error', (fault: Error) => {
      why = `the signing thread failed: ${fault.message}`;
    });
    started.on('exit', () => {
      thread = null;
      settle({ signatures: atWork.map(() => why) });
      handOver();
    });
    return started;
  };

  const settle = ({ signatures }: SignedBatch): void => {
    const orders = atWork;
    atWork = [];
    for (const [index, { resolve, reject }] of orders.entries()) {
      const signature = signatures[index] ?? 'no signature came back';
      if (typeof signature === 'string') reject(new Error(signature));
      else resolve(Buffer.from(signature.buffer, signature.byteOffset, signature.length));
    }
  };

  return {
    sign: (hash, input, key) =>
      new Promise((resolve, reject) => {
        waiting.push({ hash, input, key, resolve, reject });
        if (waiting.length === 1 && atWork.length === 0) afterThisTurn(handOver);
      }),
  };
}

function batchOf(orders: readonly Order[]): SigningBatch {
  const keys = [...new Set(orders.map(({ key }) => key))];
  return { keys, requests: orders.map(({ hash, input, key }) => ({ hash, input, key: keys.indexOf(key) })) };
}
