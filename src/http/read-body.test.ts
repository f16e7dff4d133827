import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BodyBounds, type BodyOutcome, readBody } from './read-body.ts';

const form = 'application/x-www-form-urlencoded';

function post(
  body: string | FormData | null,
  contentType?: string,
  headers: Record<string, string> = {},
): Request {
  const type: Record<string, string> = contentType === undefined ? {} : { 'content-type': contentType };
  return new Request('http://127.0.0.1/', { method: 'POST', body, headers: { ...type, ...headers } });
}

async function fieldsOf(request: Request): Promise<Record<string, readonly string[]>> {
  const outcome = await readBody(request);
  assert.ok(outcome.ok, JSON.stringify(outcome));
  return { ...outcome.fields };
}

async function statusOf(request: Request, bounds?: BodyBounds): Promise<number> {
  const outcome: BodyOutcome = await readBody(request, bounds);
  return outcome.ok ? 200 : outcome.status;
}

test('one set of parameters reads the same in every content type', async () => {
  const expected = { appid: ['10001'], status: ['a', 'b'], empty: [''] };
  const multipart = new FormData();
  multipart.append('appid', '10001');
  multipart.append('status', 'a');
  multipart.append('status', 'b');
  multipart.append('empty', '');
  assert.deepEqual(await fieldsOf(post('appid=10001&status=a&status=b&empty=', form)), expected);
  assert.deepEqual(await fieldsOf(post(multipart)), expected);
  assert.deepEqual(
    await fieldsOf(post('{"appid":10001,"status":["a","b"],"empty":""}', 'Application/JSON; charset=utf-8')),
    expected,
  );
});

test('JSON: null is absent, objects stand in `json` only', async () => {
  const outcome = await readBody(post('{"a":null,"b":true,"c":{"d":1},"e":[1,{"f":2}]}', 'application/json'));
  assert.ok(outcome.ok);
  assert.deepEqual({ ...outcome.fields }, { b: ['true'], e: ['1'] });
  assert.deepEqual(outcome.json, { a: null, b: true, c: { d: 1 }, e: [1, { f: 2 }] });
});

test('`__proto__` is a field like any other in every content type', async () => {
  const multipart = new FormData();
  multipart.append('__proto__', 'x');
  for (const request of [
    post('__proto__=x', form),
    post(multipart),
    post('{"__proto__":"x"}', 'application/json'),
  ]) {
    const outcome = await readBody(request);
    assert.ok(outcome.ok);
    assert.deepEqual(Object.keys(outcome.fields), ['__proto__']);
    assert.deepEqual(Object.values(outcome.fields), [['x']]);
  }
});

test('an empty body has no fields, whatever its type', async () => {
  for (const type of [undefined, form, 'application/json', 'multipart/form-data; boundary=x', 'text/plain']) {
    assert.deepEqual(await fieldsOf(post(null, type)), {}, String(type));
  }
});

test('a file part is no parameter', async () => {
  const multipart = new FormData();
  multipart.append('file', new Blob(['hello']), 'a.txt');
  multipart.append('name', 'value');
  assert.deepEqual(await fieldsOf(post(multipart)), { name: ['value'] });
});

test('broken bodies are refused with 400', async () => {
  const json = ['{', '[]', '"x"', '1', 'null', '{"a":1}x', '['.repeat(100_000)];
  for (const body of json)
    assert.equal(await statusOf(post(body, 'application/json')), 400, body.slice(0, 9));
  assert.equal(await statusOf(post('x', 'multipart/form-data')), 400);
  assert.equal(await statusOf(post('x', 'multipart/form-data; boundary=b')), 400);
  assert.equal(await statusOf(post('--b\r\nbroken', 'multipart/form-data; boundary=b')), 400);
});

test('other content types and compressed bodies are refused with 415', async () => {
  assert.equal(await statusOf(post('<a/>', 'application/xml')), 415);
  assert.equal(await statusOf(post('a=1', 'text/plain')), 415);
  assert.equal(await statusOf(post('a=1', form, { 'content-encoding': 'gzip' })), 415);
  assert.equal(await statusOf(post('a=1', form, { 'content-encoding': 'identity' })), 200);
});

test('the bound on bytes holds with and without a declared length', async () => {
  const bounds = { bytes: 10, fields: 100 };
  assert.equal(await statusOf(post('a=12345678', form), bounds), 200);
  assert.equal(await statusOf(post('a=123456789', form), bounds), 413);
  assert.equal(await statusOf(post('a=1', form, { 'content-length': '11' }), bounds), 413);
});

test('an endless body is left at the bound', async () => {
  let pulled = 0;
  let canceled = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled += 1;
      controller.enqueue(new Uint8Array(1000));
    },
    cancel() {
      canceled = true;
    },
  });
  const init = { method: 'POST', body, headers: { 'content-type': form }, duplex: 'half' } as const;
  const request = new Request('http://127.0.0.1/', init);
  assert.equal(await statusOf(request, { bytes: 10_000, fields: 1 }), 413);
  assert.ok(pulled < 20, `${pulled} chunks were read`);
  assert.ok(canceled);
});

test('the bound on fields holds in every content type', async () => {
  const bounds = { bytes: 10_000, fields: 2 };
  const multipart = new FormData();
  for (const name of ['a', 'b', 'c']) multipart.append(name, '1');
  assert.equal(await statusOf(post('a=1&b=2', form), bounds), 200);
  assert.equal(await statusOf(post('a=1&b=2&c=3', form), bounds), 400);
  assert.equal(await statusOf(post('{"a":[1,2,3]}', 'application/json'), bounds), 400);
  assert.equal(await statusOf(post(multipart), bounds), 400);
});
