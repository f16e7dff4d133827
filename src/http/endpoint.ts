/**
 * An HTTP endpoint as its reference page shows it. The schemas are those that validate, so that the page
 * cannot say anything else than the code does.
 */
import type { z } from 'zod';

export interface Endpoint {
  method: 'get' | 'post' | 'put' | 'delete';
  /** In OpenAPI form: `/v3/{domain}/stats/total`. */
  path: string;
  summary: string;
  description?: string;
  /** Names of the security schemes below, any of which suffices; empty: none. */
  security: readonly SecurityScheme[];
  pathParameters?: Readonly<Record<string, { description: string; example: string }>>;
  /** Object schema of the query; each member carries `.describe()`. Repeated parameters are arrays. */
  query?: z.ZodObject;
  /** Object schema of the body, the same for every accepted content type. */
  body?: { contentTypes: readonly string[]; schema: z.ZodObject };
  replies: Readonly<Record<number, Reply>>;
}

export interface Reply {
  description: string;
  contentType?: string;
  schema?: z.ZodType;
}

export type SecurityScheme =
  | { kind: 'basic'; description: string }
  | { kind: 'header'; name: string; description: string }
  /** Credentials within the body. */
  | { kind: 'body'; description: string };
