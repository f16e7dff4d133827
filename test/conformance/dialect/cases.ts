/**
 * What every dialect must do, whatever its API: keep tenants apart, refuse in its own words, survive
 * whatever is sent. The calls are made of the endpoints as the reference shows them, so that a new
 * endpoint or parameter is covered without a word here.
 */
import assert from 'node:assert/strict';
import { limits } from '../../../src/base/limits.ts';
import type { Endpoint } from '../../../src/http/endpoint.ts';
import type { Ask } from '../../../src/ledger/ledger.ts';
import { type Examinee, formType, replyOf, send, urlOf } from './asking.ts';
import type { Call, Parameter, Reply } from './description.ts';

export interface Case {
  name: string;
  run(examinee: Examinee): Promise<void>;
}

export const hostileValues: readonly string[] = [
  "' OR '1'='1",
  "'; DROP TABLE deliveries --",
  '\\',
  '{tenantId:UInt64}',
  '%_%',
  '__proto__',
  '<script>alert(1)</script>',
  'a\0b\r\nX-Injected: yes\x7f',
  '\u202e\u{1f54a}\ufeff',
  '-9223372036854775809',
  '1e308',
  'x'.repeat(4000),
];

/** Traces of what is behind an answer and must not be in it. */
const innards = /DB::|ClickHouse|SQLITE|SELECT |node:internal|\.ts:\d|\bat \w+ \(/;

export const cases: readonly Case[] = [
  {
    name: 'every endpoint of the reference answers, and is on its page',
    async run({ description, endpoints, callOf, signed, ask, app }) {
      const page = await (await app.request(`/docs/${description.dialect.name}`)).text();
      for (const endpoint of endpoints) {
        const reply = await ask(endpoint.security.length === 0 ? callOf(endpoint) : signed(callOf(endpoint)));
        if (endpoint.security.length === 0) assert.equal(reply.status, 200);
        else description.assertAnswers(reply);
        assert.ok(String(reply.status) in endpoint.replies, `${endpoint.path} documents ${reply.status}`);
        assert.ok(page.includes(`<code>${endpoint.path}</code>`), endpoint.path);
      }
    },
  },
  {
    name: 'without credentials and with wrong ones, nothing is answered',
    async run({ description, guarded, callOf, ask, subject }) {
      for (const endpoint of guarded) {
        description.assertRefuses(await ask(callOf(endpoint)));
        for (const wrong of description.wrongCredentials(subject)) {
          const reply = await ask(description.sign(callOf(endpoint), wrong));
          description.assertRefuses(reply);
          assertNoInnards(reply);
        }
      }
    },
  },
  {
    name: 'hostile credentials are wrong credentials',
    async run({ description, guarded, callOf, ask, subject }) {
      for (const endpoint of guarded) {
        for (const value of hostileValues.filter((text) => /^[\x20-\x7e]{1,200}$/.test(text))) {
          const credentials = Object.fromEntries(
            Object.keys(subject.credentials).map((name) => [name, value]),
          );
          const reply = await ask(description.sign(callOf(endpoint), credentials));
          assert.ok(reply.status < 500, value);
          assert.throws(() => description.assertAnswers(reply), `${endpoint.path} with ${value}`);
        }
      }
    },
  },
  {
    name: 'what another tenant has cannot be named',
    async run({ description, signed, ask, subject, other, secrets }) {
      for (const call of description.foreignCalls(subject, other)) {
        const reply = await ask(signed(call));
        description.assertForeign(reply);
        for (const secret of secrets) assert.equal(reply.text.includes(secret), false, secret);
      }
    },
  },
  {
    name: 'mail of another tenant changes no answer',
    async run(examinee) {
      const { secrets, addMailOfOther } = examinee;
      const before = await answersOf(examinee);
      await addMailOfOther();
      const after = await answersOf(examinee);
      assert.deepEqual(after, before);
      for (const text of after) {
        for (const secret of secrets) assert.equal(text.includes(secret), false, secret);
      }
    },
  },
  {
    name: 'hostile values of any parameter are answered or refused, never a fault',
    async run({ guarded, callOf, signed, ask, secrets }) {
      for (const endpoint of guarded) {
        for (const name of parameterNames(endpoint)) {
          for (const value of hostileValues) {
            const reply = await ask(signed(withParameter(callOf(endpoint), name, value)));
            assert.ok(reply.status < 500, `${endpoint.path} ${name}=${value}: ${reply.text}`);
            assertNoInnards(reply);
            assert.equal(reply.headers.get('x-injected'), null);
            for (const secret of secrets) assert.equal(reply.text.includes(secret), false, secret);
          }
        }
      }
    },
  },
  {
    name: 'hostile parts of the path are refused',
    async run({ guarded, callOf, signed, ask }) {
      for (const endpoint of guarded) {
        for (const name of Object.keys(endpoint.pathParameters ?? {})) {
          for (const value of hostileValues) {
            const call = callOf(endpoint);
            const reply = await ask(signed({ ...call, path: { ...call.path, [name]: value } }));
            assert.ok(reply.status >= 400 && reply.status < 500, `${endpoint.path} ${name}=${value}`);
            assertNoInnards(reply);
          }
        }
      }
    },
  },
  {
    name: 'parameters nobody knows change nothing',
    async run({ guarded, callOf, signed, ask }) {
      const unknown: Parameter[] = [
        '__proto__',
        'constructor',
        'toString',
        'hasOwnProperty',
        'unknown[]',
        '',
      ].map((name) => [name, 'x']);
      for (const endpoint of guarded) {
        const call = callOf(endpoint);
        const more = { ...call, parameters: [...call.parameters, ...unknown] };
        assert.deepEqual(
          comparable(await ask(signed(more))),
          comparable(await ask(signed(call))),
          endpoint.path,
        );
      }
      assert.equal(Object.hasOwn(Object.prototype, 'x'), false);
    },
  },
  {
    name: 'a parameter sent many times is answered or refused',
    async run({ guarded, callOf, signed, ask }) {
      for (const endpoint of guarded) {
        const call = callOf(endpoint);
        for (const name of parameterNames(endpoint)) {
          const many = Array.from({ length: 300 }, (_, i): Parameter => [name, String(i)]);
          const reply = await ask(signed({ ...call, parameters: [...call.parameters, ...many] }));
          assert.ok(reply.status < 500, `${endpoint.path} ${name}`);
          assertNoInnards(reply);
        }
      }
    },
  },
  {
    name: 'a URL beyond the bound is refused, with good credentials as well',
    async run({ endpoints, callOf, signed, ask }) {
      for (const endpoint of endpoints.filter(({ method }) => method === 'get')) {
        const call = signed(withParameter(callOf(endpoint), 'x', 'y'.repeat(limits.httpUrlBytes)));
        assert.equal((await ask(call)).status, 414, endpoint.path);
      }
    },
  },
  {
    name: 'HEAD is GET without the body',
    async run({ endpoints, callOf, signed, ask }) {
      for (const endpoint of endpoints.filter(({ method }) => method === 'get')) {
        const call = signed(callOf(endpoint));
        const [got, headed] = [await ask(call), await ask(call, 'HEAD')];
        assert.equal(headed.text, '');
        assert.equal(headed.status, got.status, endpoint.path);
        assert.equal(headed.headers.get('content-type'), got.headers.get('content-type'));
      }
    },
  },
  {
    name: 'OPTIONS needs no credentials and tells nothing of the mail',
    async run({ endpoints, callOf, ask }) {
      for (const endpoint of endpoints) {
        const reply = await ask(callOf(endpoint), 'OPTIONS');
        assert.ok(reply.status === 200 || reply.status === 204, endpoint.path);
        assert.equal(reply.text, '');
      }
    },
  },
  {
    name: 'other methods are refused',
    async run({ endpoints, callOf, signed, ask }) {
      for (const endpoint of endpoints) {
        for (const method of ['PATCH', 'PROPFIND']) {
          const reply = await ask(signed(callOf(endpoint)), method);
          assert.ok(reply.status >= 400 && reply.status < 500, `${method} ${endpoint.path}`);
        }
      }
    },
  },
  {
    name: 'bodies that are none of the accepted are refused',
    async run({ description, guarded, callOf, signed, app }) {
      const bodies: [type: string, body: string][] = [
        ['application/json', '{'],
        ['application/json', '[1]'],
        ['application/json', '['.repeat(50_000)],
        ['multipart/form-data; boundary=b', '--b\r\nbroken'],
        ['text/xml', '<a/>'],
        [formType, `a=${'b'.repeat(limits.httpBodyBytes)}`],
        [formType, '&a=1'.repeat(limits.httpFields + 1)],
      ];
      for (const endpoint of guarded.filter(({ method }) => method === 'post')) {
        for (const [type, body] of bodies) {
          const headers = { ...signed(callOf(endpoint)).headers, 'content-type': type };
          const init = { method: 'POST', headers, body };
          const reply = await replyOf(await app.request(urlOf(callOf(endpoint)), init));
          description.assertRefuses(reply);
          assertNoInnards(reply);
        }
      }
    },
  },
  {
    name: 'paths beside those of the reference are not taken',
    async run({ endpoints, callOf, signed, app }) {
      for (const endpoint of endpoints) {
        const call = signed(callOf(endpoint));
        for (const suffix of ['/more', '/%2e%2e/x', 'x']) {
          const response = await app.request(urlOf(call) + suffix, { headers: call.headers });
          const reply = await replyOf(response);
          assert.ok(reply.status < 500, urlOf(call) + suffix);
          assertNoInnards(reply);
        }
      }
      const nowhere = await app.request('/no/such/path');
      assert.equal(nowhere.headers.get('content-type'), 'application/problem+json');
    },
  },
  {
    name: 'a fault of ours is a refusal of status 500 that tells nothing',
    async run({ description, guarded, callOf, signed, world }) {
      const broken = world.serve({ ...description.settings }, { ask: brokenLedger });
      for (const endpoint of guarded) {
        const reply = await send(broken, signed(callOf(endpoint)));
        assert.equal(reply.status, 500, endpoint.path);
        description.assertRefuses(reply);
        assertNoInnards(reply);
      }
    },
  },
];

async function fault(): Promise<never> {
  throw new Error('DB::Exception: SELECT secret FROM deliveries');
}

const brokenLedger: Ask = {
  deliveries: fault,
  mails: fault,
  queue: fault,
  countByBucket: fault,
  mailTotals: fault,
  top: fault,
  events: fault,
};

async function answersOf({ guarded, ask, signed, callOf }: Examinee): Promise<string[]> {
  const texts: string[] = [];
  for (const endpoint of guarded) texts.push((await ask(signed(callOf(endpoint)))).text);
  return texts;
}

function parameterNames({ query, body }: Endpoint): string[] {
  return [...Object.keys(query?.shape ?? {}), ...Object.keys(body?.schema.shape ?? {})];
}

/** In the place of the same parameter, if the call has it. */
function withParameter(call: Call, name: string, value: string): Call {
  const others = call.parameters.filter(([known]) => known !== name);
  return { ...call, parameters: [...others, [name, value]] };
}

function comparable({ status, text }: Reply): Pick<Reply, 'status' | 'text'> {
  return { status, text };
}

function assertNoInnards(reply: Reply): void {
  assert.doesNotMatch(reply.text, innards);
}
