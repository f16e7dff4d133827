import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { openApiOf } from './openapi.ts';

const key = { kind: 'header', name: 'X-API-KEY', description: 'Your key.' } as const;

const list: Endpoint = {
  method: 'get',
  path: '/v1/{sid}/mails',
  summary: 'Lists mails',
  description: 'Newest first.',
  security: [key, { kind: 'basic', description: 'User and password.' }],
  pathParameters: { sid: { description: 'Your account.', example: 'HX1' } },
  query: z.object({
    limit: z.string().transform(Number).prefault('10').describe('Rows.'),
    event: z.array(z.enum(['sent', 'lost'])).describe('Which.'),
  }),
  replies: {
    200: { description: 'The mails.', schema: z.object({ total: z.int(), page: z.int().min(1) }) },
    404: { description: 'No such account.' },
  },
};

const add: Endpoint = {
  method: 'post',
  path: '/v1/{sid}/mails',
  summary: 'Adds a mail',
  security: [{ kind: 'body', description: 'Send `appid` with the body.' }],
  body: {
    contentTypes: ['application/json', 'multipart/form-data'],
    schema: z.object({ appid: z.string().describe('Your app.') }),
  },
  replies: { 200: { description: 'Done.', contentType: 'text/plain' } },
};

test('endpoints become an OpenAPI 3.1 document', () => {
  const reference = { name: 'example', title: 'Example', about: 'An example.', endpoints: [list, add] };
  const appid = { type: 'string', description: 'Your app.' };
  const bodySchema = { type: 'object', properties: { appid }, required: ['appid'] };
  assert.deepEqual(JSON.parse(JSON.stringify(openApiOf(reference, '1.2.3'))), {
    openapi: '3.1.0',
    info: { title: 'Example', version: '1.2.3', description: 'An example.' },
    servers: [{ url: '/' }],
    paths: {
      '/v1/{sid}/mails': {
        get: {
          summary: 'Lists mails',
          description: 'Newest first.',
          security: [{ 'header-x-api-key': [] }, { basic: [] }],
          parameters: [
            {
              name: 'sid',
              in: 'path',
              required: true,
              description: 'Your account.',
              example: 'HX1',
              schema: { type: 'string' },
            },
            {
              name: 'limit',
              in: 'query',
              required: false,
              description: 'Rows.',
              schema: { type: 'string', default: '10' },
            },
            {
              name: 'event',
              in: 'query',
              required: true,
              description: 'Which.',
              schema: { type: 'array', items: { type: 'string', enum: ['sent', 'lost'] } },
            },
          ],
          responses: {
            200: {
              description: 'The mails.',
              content: {
                'application/json': {
                  schema: {
                    type: 'object',
                    properties: {
                      total: { type: 'integer' },
                      page: { type: 'integer', minimum: 1 },
                    },
                    required: ['total', 'page'],
                  },
                },
              },
            },
            404: { description: 'No such account.' },
          },
        },
        post: {
          summary: 'Adds a mail',
          description: 'Send `appid` with the body.',
          security: [],
          requestBody: {
            required: true,
            content: {
              'application/json': { schema: bodySchema },
              'multipart/form-data': { schema: bodySchema },
            },
          },
          responses: { 200: { description: 'Done.', content: { 'text/plain': {} } } },
        },
      },
    },
    components: {
      securitySchemes: {
        'header-x-api-key': { type: 'apiKey', in: 'header', name: 'X-API-KEY', description: 'Your key.' },
        basic: { type: 'http', scheme: 'basic', description: 'User and password.' },
      },
    },
  });
});
