import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OptionProblem } from '../../base/option.ts';
import { options, publicUrlOf } from './options.ts';

const [publicUrl] = options;
assert.ok(publicUrl);

test('the public address is an http or https address without a slash at its end', () => {
  assert.equal(publicUrl.parse(''), '');
  assert.equal(publicUrl.parse('https://api.example.com'), 'https://api.example.com');
  assert.equal(publicUrl.parse('https://api.example.com/mail/'), 'https://api.example.com/mail');
  for (const wrong of [
    'api.example.com',
    'ftp://api.example.com',
    'https://a.example?x=1',
    'https://a.example#x',
    7,
    true,
  ]) {
    assert.throws(() => publicUrl.parse(wrong), OptionProblem);
  }
});

test('without a setting there is none', () => {
  assert.equal(publicUrlOf(new Map()), '');
  assert.equal(publicUrlOf(new Map([[publicUrl.key, 'https://a.example']])), 'https://a.example');
});
