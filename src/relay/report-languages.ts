/**
 * How bounces and replies of programs look in other languages than English, as data of the same shape as
 * `report-formats.ts` and `report-words.ts`, which take these rules in. Subjects and lines are in lower case.
 *
 * Only phrases that mean one thing wherever they stand: a word like "unbekannt" alone is said of many things.
 */
import type { LineRule } from './report-formats.ts';
import type { WordRule } from './report-words.ts';

export const foreignSubjects: LineRule = {
  means: 'mail that could not be delivered, in other languages',
  line: /unzustellbar|nicht zustellbar|zustellung (?:\S{1,20} )?fehlgeschlagen|[ée]chec de (?:la )?(?:remise|distribution|livraison)|non (?:remis|distribu[ée]|d[ée]livr[ée])|no (?:se puede|se pudo) entregar|no entregado|mensaje devuelto|mancata consegna|non recapitat|impossibile (?:recapitare|consegnare)|recapito fallito|não (?:foi possível )?entreg|falha (?:na|de) entrega|mensagem devolvida|onbestelbaar|niet (?:bezorgd|afgeleverd)|nie (?:dostarczono|doręczono)|zwrot nie ?dostarczonej|недоставлен|не доставлен|невозможно доставить|kunde inte levereras|kunne ikke leveres|退信|退件|无法(?:送达|投递)|投递失败|無法(?:傳送|投遞)|配信(?:不能|できません)|送信(?:できません|エラー)|メール(?:が|を)(?:送信|配信)でき/,
  examples: [
    'unzustellbar: hallo',
    'échec de la remise',
    'no se puede entregar: hola',
    'messaggio non recapitato',
    'não foi possível entregar',
    'onbestelbaar: hallo',
    'nie dostarczono wiadomości',
    'недоставленное сообщение',
    '退信: hello',
    'メールを送信できませんでした',
  ],
};

export const foreignWords: LineRule = {
  means: 'it was not delivered, in other languages',
  line: /nicht (?:zugestellt|ausgeliefert|übermittelt) werden|nicht zugestellt\b|n'(?:a|ont) pas pu être (?:remis|distribué|livré|délivré)|no (?:se pudo|se ha podido|se puede|pudo ser|ha podido ser|ha sido) entreg|non (?:può|è stato possibile|ha potuto) (?:essere )?(?:recapit|consegn)|não (?:pôde|pode|foi possível) (?:ser )?entreg|niet (?:worden )?(?:afgeleverd|bezorgd)|nie (?:można|mogła zostać|udało się) (?:dostarczy|doręczy|dostarczona)|не (?:может быть|могло быть|было|удалось) доставлен|kunde inte levereras|kunne ikke leveres|被退回|无法(?:送达|投递)|無法(?:傳送|投遞)|(?:送信|配信|配送)できません/,
  examples: [
    'ihre nachricht konnte an die folgenden empfänger nicht zugestellt werden:',
    "votre message n'a pas pu être remis aux destinataires suivants :",
    'no se pudo entregar el mensaje a los siguientes destinatarios:',
    'il messaggio non può essere recapitato ai seguenti destinatari:',
    'sua mensagem não pôde ser entregue aos seguintes destinatários:',
    'uw bericht kon niet worden afgeleverd bij de volgende geadresseerden:',
    'nie można dostarczyć wiadomości do następujących adresatów:',
    'к сожалению, ваше письмо не может быть доставлено одному или нескольким получателям:',
    '抱歉，您的邮件被退回来了。',
    '次のあて先へのメッセージはエラーのため送信できませんでした。',
  ],
};

export const foreignAutomaticSubjects: LineRule = {
  means: 'someone is away, or answers by a program, in other languages',
  line: /automatische antwort|automatisch antwoord|resposta autom[áa]tica|respuesta autom[áa]tica|fuera de (?:la )?oficina|fuori (?:sede|ufficio)|absen(?:t|te|ce) d[ue] |afwezig|autoodpowied[źz]|odpowiedź automatyczna|автоответ|автоматический ответ|automatiskt svar|自动回复|自動(?:回覆|返信|応答)|不在/,
  examples: [
    'automatische antwort: hallo',
    'automatisch antwoord: hallo',
    'respuesta automática: hola',
    'resposta automática: olá',
    'автоответ: привет',
    '自动回复: hello',
    '自動返信: hello',
  ],
};

export const foreignFull: WordRule = {
  means: 'the mailbox is full, in other languages',
  text: /postfach (?:\S{1,20} ){0,4}voll\b|speicher(?:platz|grenze) (?:\S{1,20} ){0,3}(?:überschritten|erschöpft|voll)|bo[îi]te (?:\S{1,20} ){0,6}pleine|buz[óo]n (?:\S{1,20} ){0,3}llen[oa]|casella (?:\S{1,20} ){0,3}piena|caixa (?:\S{1,20} ){0,3}cheia|postvak (?:\S{1,20} ){0,2}vol\b|skrzynka (?:\S{1,20} ){0,3}pełna|ящик (?:\S{1,20} ){0,3}переполнен|邮箱(?:空间)?已?满|容量(?:不足|オーバー)|メールボックスが(?:いっぱい|満杯)/,
  reason: 'mailbox-full',
  examples: [
    'das postfach des empfängers ist voll.',
    'la boîte aux lettres du destinataire est pleine',
    'el buzón de correo está lleno',
    'skrzynka pocztowa jest pełna',
    'почтовый ящик получателя переполнен',
    '收件人邮箱已满',
  ],
};

export const foreignUnknown: WordRule = {
  means: 'nobody has this address here, in other languages',
  text: /(?:empfänger|benutzer|adresse|postfach|konto)(?: \S{1,20}){0,4} (?:unbekannt|nicht (?:bekannt|gefunden|vorhanden|existiert)|existiert nicht)|unbekannter (?:benutzer|empfänger)|(?:utilisateur|destinataire) (?:est )?inconnu|adresse (?:\S{1,20} ){0,7}(?:introuvable|n'existe pas|inconnue)|usuario (?:desconocido|no (?:existe|encontrado))|(?:cuenta|buz[óo]n|direcci[óo]n|destinatario)(?: \S{1,20}){0,4} no existe|destinat[áa]rio (?:desconocido|desconhecido|sconosciuto|inexistente)|utente (?:sconosciuto|inesistente|non (?:esiste|trovato))|(?:indirizzo|casella)(?: \S{1,20}){0,3} (?:non esiste|inesistente)|usu[áa]rio (?:desconhecido|inexistente|não (?:existe|encontrado))|(?:caixa postal|conta|endereço)(?: \S{1,20}){0,3} não existe|gebruiker (?:is )?onbekend|adres bestaat niet|nieznany użytkownik|(?:użytkownik|adres|konto)(?: \S{1,20}){0,3} nie istnieje|(?:пользователь|получатель|адрес|ящик)(?: \S{1,20}){0,3} не (?:найден|существует)|(?:用户|收件人|地址|账号|帐号|邮箱).{0,40}不存在|(?:宛先|あて先|送信先)(?:不明|が見つかりません)|ユーザーが見つかりません/,
  reason: 'bounce',
  hard: true,
  examples: [
    'der empfänger ist unbekannt.',
    "l'adresse de messagerie que vous avez entrée est introuvable.",
    'utilisateur inconnu.',
    'la cuenta no existe.',
    "l'utente non esiste",
    'usuário desconhecido / caixa postal não existe',
    'gebruiker onbekend.',
    'użytkownik o podanym adresie nie istnieje',
    'пользователь не найден',
    '收件人邮件地址（）不存在，邮件无法送达。',
    '送信先不明',
  ],
};
