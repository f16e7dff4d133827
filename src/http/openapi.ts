/**
 * The reference of an API as an OpenAPI 3.1 document, made from the schemas that validate its requests.
 * Credentials within a body have no place in OpenAPI's security schemes; they are told in the description.
 */
import { z } from 'zod';
import type { Endpoint, Reply, SecurityScheme } from './endpoint.ts';

/** JSON Schema 2020-12, as OpenAPI 3.1 embeds it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export interface OpenApiParameter {
  name: string;
  in: 'path' | 'query';
  required: boolean;
  description?: string;
  example?: unknown;
  schema: JsonSchema;
}

export interface OpenApiResponse {
  description: string;
  content?: Record<string, { schema?: JsonSchema }>;
}

export interface OpenApiOperation {
  summary: string;
  description?: string;
  security: Record<string, never[]>[];
  parameters?: OpenApiParameter[];
  requestBody?: { required: boolean; content: Record<string, { schema: JsonSchema }> };
  responses: Record<string, OpenApiResponse>;
}

export type OpenApiSecurityScheme =
  | { type: 'http'; scheme: 'basic'; description: string }
  | { type: 'apiKey'; in: 'header'; name: string; description: string };

export interface OpenApiDocument {
  openapi: '3.1.0';
  info: { title: string; version: string; description: string };
  servers: { url: string }[];
  paths: Record<string, Partial<Record<Endpoint['method'], OpenApiOperation>>>;
  components: { securitySchemes: Record<string, OpenApiSecurityScheme> };
}

/** What the reference of one API is made from; every dialect is one. */
export interface Reference {
  /** Lower-case word; its place under `/docs/`. */
  name: string;
  title: string;
  about: string;
  endpoints: readonly Endpoint[];
}

export function openApiOf(reference: Reference, version: string): OpenApiDocument {
  const paths: OpenApiDocument['paths'] = {};
  const securitySchemes: Record<string, OpenApiSecurityScheme> = {};
  for (const endpoint of reference.endpoints) {
    paths[endpoint.path] = { ...paths[endpoint.path], [endpoint.method]: operationOf(endpoint) };
    for (const scheme of endpoint.security) {
      if (scheme.kind !== 'body') securitySchemes[schemeName(scheme)] ??= securitySchemeOf(scheme);
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: reference.title, version, description: reference.about },
    servers: [{ url: '/' }],
    paths,
    components: { securitySchemes },
  };
}

function operationOf(endpoint: Endpoint): OpenApiOperation {
  const description = [
    ...(endpoint.description === undefined ? [] : [endpoint.description]),
    ...endpoint.security.filter((scheme) => scheme.kind === 'body').map((scheme) => scheme.description),
  ].join('\n\n');
  const parameters = [...pathParametersOf(endpoint), ...queryParametersOf(endpoint)];
  return {
    summary: endpoint.summary,
    ...(description === '' ? {} : { description }),
    security: endpoint.security
      .filter((scheme) => scheme.kind !== 'body')
      .map((scheme) => ({ [schemeName(scheme)]: [] })),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(endpoint.body ? { requestBody: requestBodyOf(endpoint.body) } : {}),
    responses: Object.fromEntries(
      Object.entries(endpoint.replies).map(([status, reply]) => [status, responseOf(reply)]),
    ),
  };
}

function pathParametersOf(endpoint: Endpoint): OpenApiParameter[] {
  return Object.entries(endpoint.pathParameters ?? {}).map(([name, { description, example }]) => ({
    name,
    in: 'path',
    required: true,
    description,
    example,
    schema: { type: 'string' },
  }));
}

function queryParametersOf(endpoint: Endpoint): OpenApiParameter[] {
  if (!endpoint.query) return [];
  const { properties, required } = objectSchemaOf(endpoint.query);
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: required.has(name),
    ...(typeof description === 'string' ? { description } : {}),
    schema,
  }));
}

function requestBodyOf(body: NonNullable<Endpoint['body']>): NonNullable<OpenApiOperation['requestBody']> {
  const schema = jsonSchemaOf(body.schema);
  return {
    required: objectSchemaOf(body.schema).required.size > 0,
    content: Object.fromEntries(body.contentTypes.map((contentType) => [contentType, { schema }])),
  };
}

function responseOf(reply: Reply): OpenApiResponse {
  const contentType = reply.contentType ?? (reply.schema ? 'application/json' : null);
  if (contentType === null) return { description: reply.description };
  const media = reply.schema ? { schema: jsonSchemaOf(reply.schema) } : {};
  return { description: reply.description, content: { [contentType]: media } };
}

/**
 * Seen from the sender's side: what may be sent, before defaults and conversions. That a whole number is
 * one that JavaScript can hold goes without saying.
 */
const senderSide = {
  io: 'input',
  unrepresentable: 'any',
  override: ({ jsonSchema }) => {
    if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  },
} satisfies z.core.ToJSONSchemaParams;

function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...jsonSchema } = z.toJSONSchema(schema, senderSide);
  return jsonSchema;
}

function objectSchemaOf(schema: z.ZodObject): {
  properties: Record<string, JsonSchema>;
  required: Set<string>;
} {
  const { properties, required } = z.toJSONSchema(schema, senderSide);
  const members = Object.entries(properties ?? {}).filter(([, member]) => typeof member === 'object');
  return {
    properties: Object.fromEntries(members) as Record<string, JsonSchema>,
    required: new Set(required ?? []),
  };
}

function schemeName(scheme: Exclude<SecurityScheme, { kind: 'body' }>): string {
  return scheme.kind === 'basic' ? 'basic' : `header-${scheme.name.toLowerCase()}`;
}

function securitySchemeOf(scheme: Exclude<SecurityScheme, { kind: 'body' }>): OpenApiSecurityScheme {
  return scheme.kind === 'basic'
    ? { type: 'http', scheme: 'basic', description: scheme.description }
    : { type: 'apiKey', in: 'header', name: scheme.name, description: scheme.description };
}
