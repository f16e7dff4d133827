import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isReservedDomain } from './reserved.ts';

for (const domain of [
  'test',
  'a.test',
  'mx.a.example',
  'x.invalid',
  'localhost',
  'a.localhost',
  'example.com',
  'mail.example.net',
  'EXAMPLE.ORG',
  'example.org.',
]) {
  test(`reserved: ${domain}`, () => assert.equal(isReservedDomain(domain), true));
}

for (const domain of [
  '',
  'test.net',
  'notexample.com',
  'example.co',
  'example.com.evil.net',
  'localhost.net',
  '[127.0.0.1]',
]) {
  test(`not reserved: "${domain}"`, () => assert.equal(isReservedDomain(domain), false));
}
