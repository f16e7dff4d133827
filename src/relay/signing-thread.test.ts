import assert from 'node:assert/strict';
import { generateKeyPairSync, verify } from 'node:crypto';
import { test } from 'node:test';
import { limits } from '../base/limits.ts';
import { createSigningThread } from './signing-thread.ts';

const many = limits.signingBatch * 3 + 1;
const inputs = Array.from({ length: many }, (_, n) => Buffer.from(`fields of mail ${n}`));
const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
const ed25519 = generateKeyPairSync('ed25519');

test('each signature is that of its own input and key, in batches and alone', async () => {
  const thread = createSigningThread();
  const orders = inputs.flatMap((input) => [
    { input, hash: 'sha256', keys: rsa },
    { input, hash: null, keys: ed25519 },
  ]);
  const sign = ({ hash, input, keys }: (typeof orders)[number]) => thread.sign(hash, input, keys.privateKey);
  const signatures = [
    ...(await Promise.all(orders.map(sign))),
    ...(await Promise.all(orders.slice(0, 1).map(sign))),
  ];
  for (const [index, { hash, input, keys }] of [...orders, ...orders.slice(0, 1)].entries())
    assert.ok(verify(hash, input, keys.publicKey, signatures[index] ?? Buffer.alloc(0)), `order ${index}`);
});

test('a key that cannot sign fails its own orders only', async () => {
  const thread = createSigningThread();
  const wrong = generateKeyPairSync('x25519').privateKey;
  const outcomes = await Promise.allSettled([
    thread.sign('sha256', Buffer.from('a'), rsa.privateKey),
    thread.sign('sha256', Buffer.from('b'), wrong),
    thread.sign('sha256', Buffer.from('c'), rsa.privateKey),
  ]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
});

test('orders of a thread that ends are refused, and the next ones go to a new one', async () => {
  const program = new URL(`data:text/javascript,import { parentPort } from 'node:worker_threads';
parentPort.on('message', () => { throw new Error('out of order'); });`);
  const thread = createSigningThread(program);
  const sign = (input: Buffer) => thread.sign('sha256', input, rsa.privateKey);
  const outcomes = await Promise.allSettled(inputs.map(sign));
  assert.ok(outcomes.every(({ status }) => status === 'rejected'));
  await assert.rejects(sign(Buffer.from('later')), /^Error: the signing thread failed: out of order$/);
});
