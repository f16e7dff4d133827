/** Whole bounces in other languages than English, and what is no bounce though it looks like one. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { readReport } from './receive-report.ts';

const mail = (fields: string[], ...body: string[]) =>
  Buffer.from([...fields, 'To: app@acme.test', '', ...body, ''].join('\r\n'));
const subjectField = (subject: string) => `Subject: =?utf-8?B?${Buffer.from(subject).toString('base64')}?=`;

const unknown = { reason: 'bounce', hard: true, suppress: true };
const full = { reason: 'mailbox-full', hard: false, suppress: false };
const bounces: [language: string, subject: string, words: string, why: string, typeof unknown][] = [
  [
    'German',
    'Unzustellbar: Hallo',
    'Ihre Nachricht konnte an die folgenden Empfänger nicht zugestellt werden:',
    'Der Empfänger ist unbekannt.',
    unknown,
  ],
  [
    'French',
    'Échec de la remise',
    "Votre message n'a pas pu être remis aux destinataires suivants :",
    "L'adresse de messagerie que vous avez entrée est introuvable.",
    unknown,
  ],
  [
    'Spanish',
    'No se puede entregar: Hola',
    'No se pudo entregar el mensaje.',
    'Usuario desconocido.',
    unknown,
  ],
  [
    'Italian',
    'Messaggio non recapitato',
    'Il messaggio non può essere recapitato.',
    "l'utente non esiste",
    unknown,
  ],
  ['Portuguese', 'Mensagem devolvida', 'Sua mensagem não pôde ser entregue.', 'A conta não existe', unknown],
  ['Dutch', 'Onbestelbaar: Hallo', 'Uw bericht kon niet worden afgeleverd.', 'Gebruiker onbekend.', unknown],
  [
    'Russian',
    'Недоставленное сообщение',
    'К сожалению, ваше письмо не может быть доставлено:',
    'пользователь не найден',
    unknown,
  ],
  ['Japanese', 'メールを送信できませんでした', 'エラーのため送信できませんでした。', '送信先不明', unknown],
  ['Polish', 'Nie dostarczono wiadomości', 'Nie można dostarczyć wiadomości.', 'skrzynka jest pełna', full],
  ['Chinese', '退信: Hello', '抱歉，您的邮件被退回来了。', '收件人邮箱已满', full],
];

for (const [language, subject, words, why, expected] of bounces) {
  test(`a bounce in ${language}: ${why}`, () => {
    const fields = ['From: postmaster@relay.example', subjectField(subject)];
    const { kind, recipients } = readReport(mail(fields, words, '', '<ann@shop.example>', why));
    assert.equal(kind, 'dsn');
    assert.equal(recipients.length, 1);
    assert.partialDeepStrictEqual(recipients[0], {
      finalRecipient: 'ann@shop.example',
      action: 'failed',
      class: 5,
      ...expected,
    });
  });
}

const replies: [subject: string, words: string][] = [
  ['Automatische Antwort: Hallo', 'Ihre Nachricht wird nicht zugestellt. Bitte an <bob@shop.example>'],
  ['Respuesta automática: Hola', 'No se pudo entregar. Escriba a\r\n<bob@shop.example>'],
  ['自动回复: hello', '无法送达。\r\n<bob@shop.example>'],
  ['Автоответ: привет', 'письмо не может быть доставлено.\r\n<bob@shop.example>'],
];
for (const [subject, words] of replies) {
  test(`a reply of a program is no bounce: ${subject}`, () => {
    const fields = ['Return-Path: <>', 'From: Ann <ann@shop.example>', subjectField(subject)];
    assert.deepEqual(readReport(mail(fields, words)), { kind: 'none', recipients: [] });
  });
}

test('a disposition notification is no bounce, whatever its words: the mail had arrived (RFC 8098)', () => {
  const fields = [
    ...['Return-Path: <>', 'From: postmaster@shop.example', 'Subject: Undeliverable'],
    'Content-Type: multipart/report; report-type=disposition-notification; boundary=b',
  ];
  const body = [
    ...['--b', '', 'Your message was not delivered to:', '<ann@shop.example>', 'user unknown'],
    ...[
      '--b',
      'Content-Type: message/disposition-notification',
      '',
      'Final-Recipient: rfc822;ann@shop.example',
    ],
    ...['Disposition: automatic-action/MDN-sent-automatically; deleted', '', '--b--'],
  ];
  assert.deepEqual(readReport(mail(fields, ...body)), { kind: 'none', recipients: [] });
});

test('an international address, as it is or with its characters written out (RFC 6533)', () => {
  const written: [string, string][] = [
    ['büro@shop.example', 'büro@shop.example'],
    ['b\\x{FC}ro@shop.example', 'büro@shop.example'],
    ['b\\x{0A}ro@shop.example', 'b\\x{0A}ro@shop.example'],
    ['b\\x{D800}ro@shop.example', 'b\\x{D800}ro@shop.example'],
    ['b\\x{110000}ro@shop.example', 'b\\x{110000}ro@shop.example'],
  ];
  for (const [address, expected] of written) {
    const fields = [
      'From: postmaster@relay.example',
      'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
    ];
    const body = [
      ...['--b', 'Content-Type: message/global-delivery-status', '', 'Reporting-MTA: dns; relay.example', ''],
      ...[`Final-Recipient: utf-8; ${address}`, 'Action: failed', 'Status: 5.1.1', '', '--b--'],
    ];
    assert.equal(readReport(mail(fields, ...body)).recipients[0]?.finalRecipient, expected);
  }
});
