/**
 * The reference pages: `/docs` lists the APIs, `/docs/<name>` shows one, `/docs/<name>/openapi.json` is the
 * document it is drawn from. Pages load nothing and run nothing: one style, named by its hash in the policy.
 */
import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import { type Html, html } from './html.ts';
import {
  type JsonSchema,
  type OpenApiDocument,
  type OpenApiOperation,
  type OpenApiParameter,
  openApiOf,
  type Reference,
} from './openapi.ts';

const style = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
code, pre { font: 14px/1.45 ui-monospace, monospace; background: var(--soft); border-radius: 4px; }
code { padding: .1em .3em; } pre { padding: .8rem; overflow-x: auto; } pre code { padding: 0; background: none; }
.method { text-transform: uppercase; font-weight: 700; }
`;

const styleHash = createHash('sha256').update(style).digest('base64');

const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
};

export function docsRoutes(references: readonly Reference[], version: string): Hono {
  const app = new Hono();
  const listPage = renderList(references).markup;
  app.get('/docs', (c) => c.body(listPage, 200, pageHeaders));
  for (const reference of references) {
    const document = openApiOf(reference, version);
    const page = renderReference(reference.name, document).markup;
    app.get(`/docs/${reference.name}`, (c) => c.body(page, 200, pageHeaders));
    app.get(`/docs/${reference.name}/openapi.json`, (c) => c.json(document));
  }
  return app;
}

function renderList(references: readonly Reference[]): Html {
  const rows = references.map(
    ({ name, title, about, endpoints }) => html`
<tr><td><a href="/docs/${name}">${title}</a></td><td>${about}</td><td>${endpoints.length}</td></tr>`,
  );
  return renderPage(
    'Waybill APIs',
    html`<h1>Waybill APIs</h1>
<table><thead><tr><th>API</th><th>What it is</th><th>Endpoints</th></tr></thead><tbody>${rows}
</tbody></table>`,
  );
}

export function renderReference(name: string, document: OpenApiDocument): Html {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  return renderPage(
    document.info.title,
    html`<p><a href="/docs">All APIs</a></p>
<h1>${document.info.title}</h1>
<p>${document.info.description}</p>
<p>For tools: <a href="/docs/${name}/openapi.json">openapi.json</a> (OpenAPI ${document.openapi}, version ${document.info.version}).</p>
<ul>${operations.map(
      ({ path, method }) => html`
<li><a href="#${anchorOf(method, path)}"><span class="method">${method}</span> ${path}</a></li>`,
    )}
</ul>
${operations.map(({ path, method, operation }) => renderOperation(document, `${method} ${path}`, operation))}`,
  );
}

function renderOperation(document: OpenApiDocument, name: string, operation: OpenApiOperation): Html {
  const [method = '', path = ''] = name.split(' ', 2);
  return html`
<h2 id="${anchorOf(method, path)}"><span class="method">${method}</span> <code>${path}</code></h2>
<p><strong>${operation.summary}</strong></p>
${(operation.description ?? '').split(/\n\s*\n/).map(renderParagraph)}
${renderSecurity(document, operation)}
${renderParameters(operation.parameters ?? [])}
${renderRequestBody(operation)}
${renderResponses(operation)}`;
}

/** Words between backticks are code. */
function renderParagraph(text: string): Html {
  return text.trim() === '' ? html`` : html`<p>${renderText(text)}</p>\n`;
}

function renderText(text: string): Html[] {
  return text.split('`').map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
}

function renderSecurity(document: OpenApiDocument, operation: OpenApiOperation): Html {
  const schemes = operation.security
    .flatMap((scheme) => Object.keys(scheme))
    .map((name) => document.components.securitySchemes[name])
    .filter((scheme) => scheme !== undefined);
  if (schemes.length === 0) return html``;
  const descriptions = schemes.map((scheme) => {
    const name = scheme.type === 'http' ? 'HTTP Basic' : `header ${scheme.name}`;
    return html`<li>${name}: ${renderText(scheme.description)}</li>`;
  });
  return html`<p>Credentials${schemes.length > 1 ? ', any of' : ''}:</p><ul>${descriptions}</ul>`;
}

function renderParameters(parameters: readonly OpenApiParameter[]): Html {
  if (parameters.length === 0) return html``;
  const rows = parameters.map(
    ({ name, in: place, required, description, example, schema }) => html`
<tr><td><code>${name}</code></td><td>${place}</td><td>${typeOf(schema)}${required ? ', required' : ''}</td><td>${textOf(schema.default)}</td>
<td>${renderText(description ?? '')}${renderExample(example)}</td></tr>`,
  );
  return html`<table><thead><tr><th>Parameter</th><th>In</th><th>Type</th><th>Default</th><th>Meaning</th></tr></thead><tbody>${rows}
</tbody></table>`;
}

function renderExample(example: unknown): Html {
  return example === undefined ? html`` : html` For example <code>${textOf(example)}</code>.`;
}

function renderRequestBody(operation: OpenApiOperation): Html {
  if (!operation.requestBody) return html``;
  const contentTypes = Object.keys(operation.requestBody.content);
  const schema = Object.values(operation.requestBody.content)[0]?.schema ?? {};
  return html`<p>Body (${contentTypes.join(', ')}):</p>
${renderMembers(schema)}`;
}

function renderMembers(schema: JsonSchema): Html {
  const required = Array.isArray(schema.required) ? schema.required : [];
  const rows = Object.entries(membersOf(schema)).map(
    ([name, member]) => html`
<tr><td><code>${name}</code></td><td>${typeOf(member)}${required.includes(name) ? ', required' : ''}</td><td>${textOf(member.default)}</td><td>${renderText(String(member.description ?? ''))}</td></tr>`,
  );
  return html`<table><thead><tr><th>Field</th><th>Type</th><th>Default</th><th>Meaning</th></tr></thead><tbody>${rows}
</tbody></table>`;
}

function membersOf(schema: JsonSchema): Record<string, JsonSchema> {
  const { properties } = schema;
  return typeof properties === 'object' && properties !== null
    ? (properties as Record<string, JsonSchema>)
    : {};
}

function renderResponses(operation: OpenApiOperation): Html {
  const rows = Object.entries(operation.responses).map(([status, { description, content = {} }]) => {
    const [contentType = '', media] = Object.entries(content)[0] ?? [];
    const schema = media?.schema ? renderSchema(media.schema) : html``;
    return html`
<tr><td>${status}</td><td>${contentType}</td><td>${renderText(description)}${schema}</td></tr>`;
  });
  return html`<table><thead><tr><th>Status</th><th>Content</th><th>Meaning</th></tr></thead><tbody>${rows}
</tbody></table>`;
}

function renderSchema(schema: JsonSchema): Html {
  return html`<details><summary>Schema</summary><pre><code>${JSON.stringify(schema, null, 2)}</code></pre></details>`;
}

function typeOf(schema: JsonSchema): string {
  if (Array.isArray(schema.enum)) return schema.enum.map(textOf).join(' | ');
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(alternatives)) return alternatives.map((one: JsonSchema) => typeOf(one)).join(' | ');
  if (schema.type === 'array') return `list of ${typeOf((schema.items ?? {}) as JsonSchema)}`;
  if (Array.isArray(schema.type)) return schema.type.join(' | ');
  return schema.const === undefined ? String(schema.type ?? 'any') : textOf(schema.const);
}

function textOf(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function anchorOf(method: string, path: string): string {
  return `${method}${path}`.replaceAll(/[^a-z0-9]+/gi, '-');
}

function renderPage(title: string, main: Html): Html {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>${{ markup: style }}</style></head>
<body><main>${main}</main></body></html>
`;
}
