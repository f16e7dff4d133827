import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LoginThrottle } from './login-throttle.ts';

const bounds = { maxFailures: 3, maxAddresses: 4, blockMs: 60, longestBlockMs: 500, memoryMs: 1000 };
const client = '192.0.2.1';

function failedTimes(throttle: LoginThrottle, times: number, now: number, address = client): void {
  for (let n = 0; n < times; n += 1) throttle.failed(address, now);
}

test('refused after so many failures, for longer each time, and no longer than the longest', () => {
  const throttle = new LoginThrottle(bounds);
  failedTimes(throttle, 2, 0);
  assert.ok(!throttle.isBlocked(client, 0));
  let now = 0;
  for (const blockedMs of [60, 120, 240, 480, 500, 500]) {
    throttle.failed(client, now);
    assert.ok(throttle.isBlocked(client, now + blockedMs - 1));
    assert.ok(!throttle.isBlocked(client, now + blockedMs));
    now += blockedMs;
  }
});

test('failures are forgotten in time, and wiped away by success', () => {
  const throttle = new LoginThrottle(bounds);
  failedTimes(throttle, 2, 0);
  throttle.failed(client, 1000);
  assert.ok(!throttle.isBlocked(client, 1000));
  throttle.failed(client, 1001);
  throttle.succeeded(client, 1002);
  assert.equal(throttle.size, 0);
  failedTimes(throttle, 3, 2000);
  throttle.succeeded(client, 2059);
  assert.ok(throttle.isBlocked(client, 2059));
});

test('each address for itself; of IPv6 each /64', () => {
  const throttle = new LoginThrottle(bounds);
  failedTimes(throttle, 3, 0);
  assert.ok(!throttle.isBlocked('192.0.2.2', 0));
  failedTimes(throttle, 3, 0, '2001:db8::1');
  assert.ok(throttle.isBlocked('2001:db8:0:0:ffff::2', 0));
  assert.ok(!throttle.isBlocked('2001:db8:0:1::1', 0));
  failedTimes(throttle, 3, 0, 'fe80::1%eth0');
  assert.ok(throttle.isBlocked('fe80::2', 0));
});

test('bounded, whoever fails', () => {
  const throttle = new LoginThrottle(bounds);
  fc.assert(
    fc.property(fc.ipV4(), fc.nat(5000), (address, now) => {
      throttle.failed(address, now);
      return throttle.size <= bounds.maxAddresses;
    }),
  );
});
