/** `GET /v1/{SID}/email/stats/{messageId}`: where one message stands, address by address. */
import { z } from 'zod';
import { limits } from '../../../base/limits.ts';
import { errorReply, unknownMessage } from '../errors.ts';
import { parseMessageId } from '../parse.ts';
import { type MessageStats, renderMessage } from '../render.ts';
import { type Route, refusals, security, sidParameter } from '../route.ts';
import { statusWords } from '../words.ts';

const messageReply = z.object({
  data: z.array(
    z.object({
      message_id: z.string(),
      from_mail: z.string(),
      request_datetime: z.string().describe('`YYYY-MM-DD HH:MM:SS` in the time zone of the account.'),
      recipients: z.array(
        z.object({
          delivery_datetime: z.string().describe('Of the delivery or the bounce, else empty.'),
          to: z.string(),
          status: z.enum(statusWords),
          error_code: z
            .string()
            .describe('Reply code of the remote server for BOUNCE and DEFERRED, else empty.'),
          error_message: z.string(),
        }),
      ),
    }) satisfies z.ZodType<MessageStats>,
  ),
  error: z.object({}),
});

export const messageStats: Route = {
  endpoint: {
    method: 'get',
    path: '/v1/{SID}/email/stats/{messageId}',
    summary: 'Statuses of one message',
    description: 'One record per address. Without the number after the colon: all records of the message.',
    security,
    pathParameters: {
      ...sidParameter,
      messageId: {
        description: 'As the logs show it.',
        example: '00b1f2c3-d4e5-8f60-8123-456789abcdef:1',
      },
    },
    replies: {
      200: { description: 'The records, ascending by number.', schema: messageReply },
      ...refusals,
      404: { description: 'The account has no message with this id.', schema: errorReply },
    },
  },
  async answer({ ask, key }, { account, messageId, rendering }) {
    const message = parseMessageId(messageId, key);
    if (!message) return unknownMessage;
    const page = { offset: 0, limit: limits.forwardPathsPerMail, direction: 'ascending' } as const;
    const { rows } = await ask.deliveries(account.scope, message, page);
    return rows.length === 0 ? unknownMessage : renderMessage(rows, rendering);
  },
};
