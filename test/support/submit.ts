/** Submits with what few clients can ask for: parameters of MAIL and RCPT as they are written. */
import assert from 'node:assert/strict';
import { DialogClient } from '../dialogs/client.ts';
import type { TenantCredentials, Waybill } from './waybill.ts';

export const content = 'From: app@acme.test\r\nSubject: x\r\n\r\nbody\r\n';

interface Wanted {
  /** Behind the reverse-path, with a blank before. */
  mail?: string;
  /** Each with its brackets. */
  rcpt: string[];
  tls?: boolean;
}

/** Submits by BDAT and resolves with the reply to it. */
export async function submit(
  waybill: Waybill,
  { smtp }: TenantCredentials,
  { mail = '', rcpt, tls = false }: Wanted,
): Promise<string> {
  const client = await DialogClient.connect(waybill.smtp.port);
  const say = async (line: string, expected: RegExp): Promise<string> => {
    client.send(Buffer.from(line).toString('latin1'));
    for (;;) {
      const reply = await client.line();
      if (/^\d{3}-/.test(reply)) continue;
      assert.match(reply, expected, line);
      return reply;
    }
  };
  await say('', /^220 /);
  await say('EHLO client.example\r\n', /^250 /);
  if (tls) {
    await say('STARTTLS\r\n', /^220 /);
    await client.startTls();
    await say('EHLO client.example\r\n', /^250 /);
  }
  const secret = Buffer.from(`\0${smtp.username}\0${smtp.password}`).toString('base64');
  await say(`AUTH PLAIN ${secret}\r\n`, /^235 /);
  await say(`MAIL FROM:<app@acme.test>${mail}\r\n`, /^250 /);
  for (const path of rcpt) await say(`RCPT TO:${path}\r\n`, /^250 /);
  const reply = await say(`BDAT ${content.length} LAST\r\n${content}`, /^250 2\.0\.0 /);
  client.destroy();
  return reply;
}
