import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { manualClock } from './clock.ts';
import { limits } from './limits.ts';
import { createLog, type Log, type LogRequest, silentLog } from './log.ts';

function recorder(request: Partial<LogRequest> = {}): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const clock = manualClock(Date.UTC(2026, 10, 22, 10));
  const write = (line: string) => lines.push(line);
  return {
    log: createLog({ level: 'info', format: 'json', name: 'relay', clock, write, ...request }),
    lines,
  };
}

/** The one line that logging these fields gives, as JSON. */
function logged(fields: Record<string, unknown>): Record<string, unknown> {
  const { log, lines } = recorder();
  log.info(fields, 'done');
  assert.equal(lines.length, 1);
  return JSON.parse(lines[0] ?? '');
}

test('a line says when, who, what and how important', () => {
  assert.deepEqual(logged({ mailId: 7 }), {
    level: 'info',
    time: '2026-11-22T10:00:00.000Z',
    name: 'relay',
    pid: process.pid,
    mailId: 7,
    msg: 'done',
  });
});

test('lines below the level are not written', () => {
  const { log, lines } = recorder({ level: 'warn' });
  log.debug({}, 'a');
  log.info({}, 'b');
  log.warn({}, 'c');
  log.error({}, 'd');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).level),
    ['warn', 'error'],
  );
});

test('a child adds its fields to every line, masked as well', () => {
  const { log, lines } = recorder();
  log.child({ session: 'a', password: 'hunter2' }).child({ mailId: 1 }).info({ n: 2 }, 'done');
  const line = JSON.parse(lines[0] ?? '');
  assert.deepEqual([line.session, line.password, line.mailId, line.n], ['a', '[masked]', 1, 2]);
});

for (const name of [
  'password',
  'Password',
  'smtp_password',
  'secret',
  'clientSecret',
  'apiKey',
  'api_key',
  'appkey',
  'signature',
  'content',
  'authorization',
  'Set-Cookie',
  'accessToken',
]) {
  test(`${name} is masked at every depth`, () => {
    const line = logged({ [name]: 'hunter2', a: { b: [{ [name]: { deep: 'hunter2' } }] } });
    assert.doesNotMatch(JSON.stringify(line), /hunter2/);
    assert.equal(line[name], '[masked]');
  });
}

test('names that only resemble a secret stay, and that there is none is said', () => {
  const line = logged({
    contentBytes: 5,
    contentType: 'text/plain',
    tokens: 3,
    password: null,
    secret: false,
  });
  assert.deepEqual(
    [line.contentBytes, line.contentType, line.tokens, line.password, line.secret],
    [5, 'text/plain', 3, null, false],
  );
});

test('credentials in a URL are masked, in fields, errors and the text', () => {
  const { log, lines } = recorder();
  const fault = new Error('cannot reach smtp://user:hunter2@mx.example:25', {
    cause: new Error('https://hunter2@x'),
  });
  log.error({ fault, url: 'http://user:hunter2@db.example/x' }, 'at http://user:hunter2@db.example');
  assert.doesNotMatch(lines.join(), /hunter2/);
  assert.match(lines.join(), /:\/\/\[masked\]@mx\.example:25/);
});

test('an error shows its type, code, message, stack and cause', () => {
  const fault = Object.assign(new TypeError('no', { cause: new Error('why') }), { code: 'E_NO' });
  const { fault: shown } = logged({ fault }) as { fault: Record<string, unknown> };
  assert.deepEqual([shown.type, shown.message, shown.code], ['TypeError', 'no', 'E_NO']);
  assert.match(String(shown.stack), /log\.test\.ts/);
  assert.equal((shown.cause as Record<string, unknown>).message, 'why');
});

test('bytes are counted, never shown', () => {
  assert.equal(logged({ chunk: Buffer.from('hunter2') }).chunk, '[7 bytes]');
});

test('long texts, long lists and deep or circular objects are cut', () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const line = logged({ text: 'x'.repeat(1_000_000), list: new Array(1_000_000).fill(1), circle });
  assert.equal(String(line.text).length, limits.logTextChars + 1);
  assert.equal((line.list as unknown[]).length, limits.logFieldMembers);
});

test('a field cannot pose as a part of the line', () => {
  const line = logged({ level: 'error', msg: 'other', time: 1, name: 'x', pid: 0 });
  assert.deepEqual([line.level, line.msg, line.name, line.level_], ['info', 'done', 'relay', 'error']);
});

for (const format of ['json', 'pretty'] as const) {
  test(`whatever is said, a ${format} line is one line of printable characters`, () => {
    const said = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(said, said, (value, text) => {
        const { log, lines } = recorder({ format });
        log.info({ value, [`a${value}`]: 1 }, text);
        assert.equal(lines.length, 1);
        assert.match(
          lines[0] ?? '',
          /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]*\n$/,
        );
      }),
    );
  });
}

test('at a terminal a line is readable, with the stack below it', () => {
  const { log, lines } = recorder({ format: 'pretty' });
  log.warn({ mailId: 7, reply: '550 no\r\n250 ok', peer: { port: 25 } }, 'refused');
  log.error({ fault: new Error('no') }, 'failed');
  assert.equal(
    lines[0],
    '10:00:00.000 warn  relay: refused mailId=7 reply="550 no\\r\\n250 ok" peer={"port":25}\n',
  );
  assert.match(
    lines[1] ?? '',
    /^10:00:00\.000 error relay: failed fault=\{"type":"Error","message":"no"\}\n +at .*\n/,
  );
});

test('the silent log says nothing and has silent children', () => {
  assert.equal(silentLog.child({ a: 1 }), silentLog);
  silentLog.error({}, 'x');
});
