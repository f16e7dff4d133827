import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { z } from 'zod';
import { docsRoutes } from './docs-page.ts';
import type { Reference } from './openapi.ts';

const hostile = `</style></pre><script>alert("1")</script>' onclick='x & y`;

const reference: Reference = {
  name: 'example',
  title: `Title ${hostile}`,
  about: `About ${hostile}`,
  endpoints: [
    {
      method: 'get',
      path: '/things/{name}',
      summary: `Summary ${hostile}`,
      description: `First \`code\`.\n\nSecond ${hostile}`,
      security: [{ kind: 'header', name: 'X-KEY', description: `Key ${hostile}` }],
      pathParameters: { name: { description: `Path ${hostile}`, example: hostile } },
      query: z.object({
        limit: z.string().prefault(hostile).describe(`Query ${hostile}`),
        dir: z.enum(['asc', 'desc']).default('desc').describe('Order.'),
      }),
      replies: {
        200: { description: `Reply ${hostile}`, schema: z.object({ a: z.literal(hostile) }) },
        404: { description: 'None.' },
      },
    },
    {
      method: 'post',
      path: '/things',
      summary: 'Adds one',
      security: [],
      body: {
        contentTypes: ['application/json'],
        schema: z.object({
          name: z.string().describe(`Field ${hostile}`),
          note: z.string().nullable().describe('A note.'),
          tags: z.array(z.enum(['a', 'b'])).describe('Some tags.'),
        }),
      },
      replies: { 200: { description: 'Done.' } },
    },
  ],
};

async function page(path: string): Promise<{ response: Response; text: string }> {
  const response = await docsRoutes([reference], '1.0.0').request(path);
  return { response, text: await response.text() };
}

test('the list links every API', async () => {
  const { response, text } = await page('/docs');
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.match(text, /<a href="\/docs\/example">Title /);
  assert.match(text, /<td>2<\/td>/);
});

test('the page of an API shows each endpoint with its parameters, body and replies', async () => {
  const { text } = await page('/docs/example');
  for (const part of [
    '<h2 id="get-things-name-"><span class="method">get</span> <code>/things/{name}</code></h2>',
    'First <code>code</code>.',
    '<code>dir</code></td><td>query</td><td>asc | desc</td><td>desc</td>',
    '<code>name</code></td><td>path</td><td>string, required</td>',
    'Body (application/json)',
    '<code>note</code></td><td>string | null, required</td>',
    '<code>tags</code></td><td>list of a | b, required</td>',
    'header X-KEY',
    '<td>404</td>',
    '<a href="/docs/example/openapi.json">',
  ]) {
    assert.ok(text.includes(part), part);
  }
});

test('whatever a description says stays text', async () => {
  for (const path of ['/docs', '/docs/example']) {
    const { text } = await page(path);
    assert.ok(text.includes('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39; onclick='));
    assert.equal(text.includes('<script'), false);
    assert.equal(text.match(/<style>/g)?.length, 1);
    assert.equal(text.match(/<\/style>/g)?.length, 1);
  }
});

test('the policy allows the one style of the page and nothing else', async () => {
  for (const path of ['/docs', '/docs/example']) {
    const { response, text } = await page(path);
    const style = /<style>([\s\S]*)<\/style>/.exec(text)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    const policy = response.headers.get('content-security-policy') ?? '';
    assert.ok(policy.startsWith(`default-src 'none'; style-src 'sha256-${hash}';`), policy);
    assert.equal(/\b(src|href)="(?!\/docs|#)/.test(text), false, 'links lead to the reference only');
    assert.equal(/ style=| on[a-z]+="/.test(text), false);
  }
});

test('the document for tools is served beside the page', async () => {
  const { response, text } = await page('/docs/example/openapi.json');
  assert.equal(response.headers.get('content-type'), 'application/json');
  const document = JSON.parse(text);
  assert.equal(document.openapi, '3.1.0');
  assert.deepEqual(Object.keys(document.paths), ['/things/{name}', '/things']);
});

test('an API that does not exist has no page', async () => {
  assert.equal((await page('/docs/other')).response.status, 404);
});
