/** Reports as other servers write them, handed in as they do: over SMTP, without a name, from a null reverse-path. */
import { createTransport } from 'nodemailer';
import type { Waybill } from './waybill.ts';

/** Resolves with the reply to the content; rejects with that to a refused command. */
export async function handIn(waybill: Waybill, to: string, content: string): Promise<string> {
  const transport = createTransport({
    ...{ host: waybill.smtp.host, port: waybill.smtp.port },
    tls: { rejectUnauthorized: false },
  });
  try {
    const raw = content.replaceAll('\n', '\r\n');
    const info = await transport.sendMail({ envelope: { from: '', to: [to] }, raw });
    return info.response;
  } finally {
    transport.close();
  }
}

export function dsnAbout(
  address: string,
  { status = '5.1.1', diagnostic = '550 5.1.1 No such user' } = {},
): string {
  return `From: MAILER-DAEMON@mx.example.org
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

The mail could not be delivered.
--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; ${address}
Action: ${status.startsWith('5') ? 'failed' : 'delayed'}
Status: ${status}
Diagnostic-Code: smtp; ${diagnostic}

--B--
`;
}

/** The complaining recipient is blacked out, as many providers do. */
export function complaintAbout(returnPath: string): string {
  return `From: feedback@provider.example
Subject: FW: Hello
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="B"

--B
Content-Type: text/plain

This is an abuse report for a mail.
--B
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1

--B
Content-Type: message/rfc822

Return-Path: <${returnPath}>
From: app@acme.test
To: redacted@provider.example
Subject: Hello

Hello.
--B--
`;
}
