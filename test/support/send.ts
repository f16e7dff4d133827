/** Sends mail with another SMTP implementation, as an application would. */
import { createTransport } from 'nodemailer';
import type { TenantCredentials, Waybill } from './waybill.ts';

export interface Outgoing {
  from?: string;
  to: string | string[];
  subject?: string;
  text?: string;
  headers?: Record<string, string>;
  /** '' for the null reverse-path. */
  envelopeFrom?: string;
  /** Without AUTH, as a client of a trusted network. */
  withoutAuth?: boolean;
}

/** Resolves with the reply to the content. */
export async function send(waybill: Waybill, tenant: TenantCredentials, mail: Outgoing): Promise<string> {
  const transport = createTransport({
    host: waybill.smtp.host,
    port: waybill.smtp.port,
    ...(mail.withoutAuth ? {} : { auth: { user: tenant.smtp.username, pass: tenant.smtp.password } }),
    tls: { rejectUnauthorized: false },
  });
  try {
    const from = mail.from ?? `app@${tenant.domain}`;
    const to = [mail.to].flat();
    const info = await transport.sendMail({
      from,
      to,
      subject: mail.subject ?? 'Hello',
      text: mail.text ?? 'Hello.',
      ...(mail.headers ? { headers: mail.headers } : {}),
      envelope: { from: mail.envelopeFrom ?? from, to },
    });
    return info.response;
  } finally {
    transport.close();
  }
}

/** The relay id in the reply to the content. */
export function relayIdIn(reply: string): string {
  return /queued as ([0-9a-f]{18})/.exec(reply)?.[1] ?? '';
}
