/**
 * How bounces without a delivery-status part look, as data: the signs by which they are recognised, the lines that
 * name a recipient, the lines that say how far the conversation had come, and the line behind which the returned
 * message begins. Every rule has the real line that caused it, with the addresses of examples; the test takes each
 * through its rule. What the words mean is not here (`report-words.ts`, `classify-rules.ts`).
 *
 * Patterns see one line of bounded length. No pattern repeats a repetition: texts are hostile.
 */
import type { Stage } from '../events/delivery-status.ts';
import { foreignAutomaticSubjects, foreignSubjects, foreignWords } from './report-languages.ts';

export interface LineRule {
  means: string;
  line: RegExp;
  examples: readonly string[];
}

/** Who writes bounces: From field, decoded, in lower case. */
export const bounceSenders: readonly LineRule[] = [
  {
    means: 'the mail system itself',
    line: /\b(?:mailer|mail|mta|mda|dma)[-_. ]?daemon\b|\bpost_?master\b|\bmail[-_. ](?:deliver(?:y|er)?|administrator|system)\b|\bmmdf\b|\bsystem administrator\b|\bmicrosoftexchange[0-9a-f]{32}@|^<>$|^$/,
    examples: [
      'mail delivery subsystem <mailer-daemon@googlemail.com>',
      'postmaster@example.com ("interscan notification")',
      'post_master@vtext.example',
      'mail delivery system <mail.delivery.system@mx.example.com>',
      'system administrator <postmaster@example.net>',
      'microsoft outlook <microsoftexchange329e71ec88ae4615bbc36ab6ce41109e@example.org>',
      '<>',
    ],
  },
];

/** Subject field, decoded, in lower case. */
export const bounceSubjects: readonly LineRule[] = [
  {
    means: 'mail that could not be delivered',
    line: /undeliver|un-?deliverable|non[- ]?deliver|deliver[a-z]{0,4}[:,]? (?:\w{1,20} ){0,3}(?:fail|problem|report|error|delay|status)|(?:fail(?:ed|ure|s)?|problem|error|unable|impossible|delayed|status|warning)\W{1,3}(?:\w{1,20} ){0,4}deliver|(?:could|can) ?not be delivered|return(?:ed|ing) (?:mail|message|to sender)|return to sender|(?:failure|system error) (?:notice|notification)|mail (?:system error|fail)|message (?:\S{1,60} )?delayed|error sending your mail/,
    examples: [
      'undelivered mail returned to sender',
      'delivery status notification (failure)',
      'mail delivery failed: returning message to sender',
      'failed delivery',
      'failure delivery',
      'failure notice',
      'returned mail: user unknown',
      'warning: message 1a2b3c-000000-00 delayed 24 hours',
      'mail could not be delivered',
      'mail failed, returning to sender',
      'mail system error - returned mail',
      'there was an error sending your mail',
      'message delivery has failed',
      'delivery failure: user b (b@example.org) not listed in domino directory',
    ],
  },
  {
    means: 'a mailing list that refuses what it has seen before',
    line: /\bloop alert\b/,
    examples: ['loop alert: duplicated message-id (list ml)'],
  },
  foreignSubjects,
];

/** What bounces say of themselves; any line of the text, in lower case. */
export const bounceWords: readonly LineRule[] = [
  {
    means: 'it was not delivered',
    line: /(?:could|can|was|has|were|is|did)(?: ?not|n't| been)? (?:be |been |yet been |reach|able to )?(?:delayed|deliver|rejected|reach the following)|unable to (?:deliver|send)|deliver[a-z]{0,3} (?:to|of) .{0,60}(?:fail|abort|delay|reject)|undeliverable|permanent(?: fatal)? error|delivery (?:has )?fail|delivery errors|trouble delivering|error delivering|problems? delivering|error occurred while|error message below|failed addresses|not been delivered|failure reasons/,
    examples: [
      'a message that you sent could not be delivered to one or more of its',
      "i'm afraid i wasn't able to deliver your message to the following addresses.",
      'this is a permanent error. the following address(es) failed:',
      'did not reach the following recipient(s):',
      'delivery to the following recipient has been delayed:',
      'unable to deliver message to the following address(es).',
      '   ----- the following addresses had permanent fatal errors -----',
      '---the following addresses had delivery errors---',
      'we had trouble delivering your message. full details follow:',
      'there was an error delivering your mail to <b@example.org>.',
      'error message below:',
      'was not delivered to:',
    ],
  },
  {
    means: 'a conversation with a server is shown',
    line: /transcript of session follows|remote (?:host|server) (?:said|returned)|smtp error from remote|^[ \t]{0,8}<<< [45]\d\d|server message/,
    examples: [
      '   ----- transcript of session follows -----',
      'remote host said: 550 5.1.1 <b@example.org>... user unknown',
      '    smtp error from remote mail server after rcpt to:<b@example.org>:',
      '-------server message',
    ],
  },
  {
    means: 'a list or a mailbox says why by itself',
    line: /duplicated message-id in|user mailbox exceeds|invalid final delivery userid|(?:unknown|undeliverable) (?:user|host|to) ?:? \S{1,100}@/,
    examples: [
      'duplicated message-id in <list@example.org>.',
      'user mailbox exceeds allowed size: b@example.org',
      'invalid final delivery userid: b@example.org',
    ],
  },
  foreignWords,
];

/** Replies of people's mail programs: Subject field, decoded, in lower case. RFC 3834 tells how they should be marked. */
export const automaticSubjects: readonly LineRule[] = [
  {
    means: 'someone is away, or answers by a program',
    line: /^(?:re: ?)?(?:auto(?:mat(?:ic|ed|ische|ique|ica))?[- ]?(?:reply|response|respond|answer|antwort|risposta)|r[ée]ponse automatique|out[- ]of[- ](?:the[- ])?office|vacation|away from|abwesen|respuesta autom|risposta automatica|i am (?:currently )?(?:away|out)|autoreply|autosvar)|\b(?:auto-?reply|out of (?:the )?office|abwesenheitsnotiz)\b/,
    examples: [
      'automatic reply: hello',
      'auto reply: hello',
      'out of office: hello',
      're: vacation',
      'abwesenheitsnotiz: hallo',
      'réponse automatique : bonjour',
    ],
  },
  foreignAutomaticSubjects,
];

export interface RecipientRule extends LineRule {
  /** Where the reason stands: behind the line (most), or before it, as in transcripts. */
  reason?: 'before';
}

const address = String.raw`("[^"\s]{1,64}"@[\w.-]{1,255}|[^\s<>"'()\[\]:;,@|]{1,128}@[\w.-]{1,255})`;

function ofLine(before: string, after: string): RegExp {
  return new RegExp(`^${before}${address}${after}`, 'i');
}

/** Lines that name a recipient; the first group is the address. The first rule that holds counts. */
export const recipientLines: readonly RecipientRule[] = [
  {
    means: 'sendmail before 8.8: the verdict of the transcript, behind what was said',
    line: ofLine(String.raw`\s{0,8}[45]\d\d (?:[45]\.\d\.\d{1,3} )?<?`, '>?\\.\\.\\. '),
    reason: 'before',
    examples: [
      '554 <b@example.org>... 550 Host unknown (Authoritative answer from name server)',
      '550 <b@example.org>... User unknown',
      '550 5.1.2 <b@example.org>... Host unknown (Name server: ns.example.org: no data known)',
    ],
  },
  {
    means: 'the address in angle brackets, then why (qmail, Postfix, MX Logic, EZweb)',
    line: ofLine(String.raw`[\s>*-]{0,12}<`, '>(?:$|:|\\.{0,3} | ?\\()'),
    examples: [
      '<b@example.org>:',
      '<b@example.org>: host mx.example.org[192.0.2.1] said: 550 User unknown',
      '    <b@example.org> (expanded from <c@example.org>): unknown user: "b"',
      '  <b@example.org>: 550 unknown user',
      '<b@example.org>',
    ],
  },
  {
    means:
      'the address alone, indented or not, with a colon or without (Exim, GMX, Gmail, Domino, X3, Active!hunter)',
    line: ofLine(String.raw`[\s>*•"'-]{0,12}`, String.raw`["']?:?(?:\s*$|\s?<)`),
    examples: [
      '  b@example.org',
      'b@example.org:',
      '"b@example.org":',
      '   * b@example.org',
      '>>> b@example.org <b@example.org>',
      'b@example.org<mailto:b@example.org>',
    ],
  },
  {
    means: 'the address, then why, on one line (OpenSMTPD, Zoho, Exchange 5.5, Mail2000, MMDF, GroupWise)',
    line: ofLine(
      String.raw`[\s>*•"'-]{0,12}`,
      String.raw`(?:: \S| \[| \(\1\)$| \((?:host|user|unknown|mailbox|account|no such|not )| \.\.\. | on \w{3}, | (?:invalid address|error|delayed), error_code)`,
    ),
    examples: [
      'b@example.org: 550 5.2.2 <b@example.org>... Mailbox Full',
      'b@example.org: Domain does not exist',
      'b@example.org Invalid Address, ERROR_CODE :550, ERROR_CODE :5.2.1 <b@example.org>... User Unknown',
      'b@example.org on Thu, 29 Apr 2010 00:00:00 -0000',
      'b@example.org [User unknown]',
      ' b@example.org ... unknown host',
      "'b@example.org (host: example.org) (queue: smtp)' for the following",
      '\tb@example.org (user not found)',
      'b@example.org (b@example.org)',
    ],
  },
  {
    means:
      'a sentence about delivery that ends in the address (MailFoundry, InterScan, DragonFly, IMail, au, Exchange)',
    line: ofLine(
      String.raw`.{0,120}?(?:undeliverable to|deliver(?:ed|ing|y)?(?: your| the| this| a)?(?: mail| message)? to:?|delivery failed:|following recipient:|following address:)\s{1,4}['"]?<?`,
      '(?:[>.\\s(]|$)',
    ),
    examples: [
      'Unable to deliver message to: <b@example.org>',
      'Reason:  Unable to deliver message to <b@example.org> (and other recipients in the same domain).',
      'There was an error delivering your mail to <b@example.org>.',
      'undeliverable to b@example.org',
      '     Could not be delivered to: <b@example.org>',
      'Did not reach the following recipient: b@example.org',
      'Delivery failed: b@example.org',
      "Failed to deliver to '<b@example.org>'",
      'The mail server could not deliver mail to b@example.org.  The account or domain may not exist.',
    ],
  },
  {
    means: 'the recipient of a conversation that is shown (EZweb, James, X6)',
    line: ofLine('.{0,120}?(?:recipient:|rejected recipient|(?:>>> ?)?rcpt(?: to)?:) ?<?', '(?:[>\\s]|$)'),
    examples: [
      '    Recipient: <b@example.org>',
      'SMTP Server <mx.example.org> rejected recipient <b@example.org> (Error following RCPT command).',
      '  RCPT TO: b@example.org',
      '>>> RCPT To:<b@example.org>',
    ],
  },
  {
    means: 'what is wrong, then the address (IMail)',
    line: ofLine(
      String.raw`\s{0,8}(?:user mailbox exceeds allowed size|invalid final delivery userid|unknown (?:user|host|local user)|delivery failed \d{1,3} attempts|(?:account|mailbox) [a-z ]{1,40}): ?<?`,
      '>?\\s*$',
    ),
    examples: [
      'User mailbox exceeds allowed size: b@example.org',
      'Invalid final delivery userid: b@example.org',
      'Unknown user: b@example.org',
      'delivery failed 20 attempts: b@example.org',
    ],
  },
  {
    means: 'a pipe or a file that belongs to an address (Exim)',
    line: ofLine(String.raw`\s{1,8}(?:\()?generated (?:by|from) `, String.raw`\)?\s*$`),
    examples: ['    generated by b@example.org', '    (generated from b@example.org)'],
  },
  {
    means: 'in full-width brackets within its sentence',
    line: ofLine('[^（@]{0,120}（', '）'),
    examples: ['收件人邮件地址（b@example.org）不存在，邮件无法送达。'],
  },
  {
    means: 'a mailing list, in brackets within its sentence (fml)',
    line: ofLine('duplicated message-id in <', '>'),
    examples: ['Duplicated Message-ID in <list@example.org>.'],
  },
];

/** From this line on it is the returned message, or its header section. */
export const returnedMarks: readonly LineRule[] = [
  {
    means: 'a rule with words that announce it',
    line: /^[ \t>]{0,8}[-|=*_]{1,80} ?.{0,20}(?:original (?:message|mail)|copy of|(?:returned|unsent|undelivered) message|message (?:headers?|text) follow|header of the|below this line|original mail info|the original)/i,
    examples: [
      '------ This is a copy of the message, including all the headers. ------',
      '--- Below this line is a copy of the message.',
      '----- Original message -----',
      '   ----- Unsent message follows -----',
      '--- The header of the original message is following. ---',
      '------- Returned Message --------',
      '|------------------------- Message text follows: ------------------------|',
      '-------original mail info',
    ],
  },
  {
    means: 'words that announce it',
    line: /^[ \t]{0,8}(?:below is a copy of|included is a copy of|original message (?:headers|follows)|message headers follow|original mail as follows|the attachment contains the original)/i,
    examples: [
      '    Below is a copy of the original message:',
      'Included is a copy of the message header:',
      'Original message headers:',
      'Original message follows.',
      'Message headers follow.',
      'Original mail as follows:',
    ],
  },
  {
    means: 'its header section, announced by nothing',
    line: /^(?:received: ?(?:from|by)\b|return-path: ?<|message-id: ?<)/i,
    examples: ['Received:from mail.example.com by mx.example.net', 'Return-Path: <a@example.net>'],
  },
];

export interface StageRule extends LineRule {
  stage: Stage;
}

/** How far the conversation had come, in the words of those who report it; text in lower case. */
export const stageWords: readonly StageRule[] = [
  {
    means: 'the greeting was a refusal',
    line: /after initial connection|refused to talk to me|greeting wait|in reply to (?:greeting|initial)/,
    stage: 'greeting',
    examples: [
      'smtp error from remote mail server after initial connection:',
      'host mx.example.org[192.0.2.1] refused to talk to me: 554 blocked',
    ],
  },
  {
    means: 'the hello was refused',
    line: /after (?:ehlo|helo)|in reply to (?:ehlo|helo)|>>> (?:ehlo|helo)/,
    stage: 'ehlo',
    examples: ['(in reply to ehlo command)'],
  },
  {
    means: 'the reverse-path was refused',
    line: /after (?:pipelined )?mail from|in reply to mail from|>>> mail from|\[mail_from\]|did not like our mail from|but sender was rejected|error following mail/,
    stage: 'mail',
    examples: [
      'smtp error from remote mail server after mail from:<a@example.net> size=1024:',
      '(in reply to mail from command)',
      'connected to 192.0.2.1 but sender was rejected.',
      '    >>> mail from:<a@example.net>',
    ],
  },
  {
    means: 'all forward-paths were refused, though a pipelined DATA stands before the replies (sendmail)',
    line: /need rcpt|no valid (?:recipients|rcpt)|^[45]\d\d (?:5\.\d\.\d{1,3} )?<?\S{1,254}>?\.\.\. user unknown/,
    stage: 'rcpt',
    examples: [
      '<<< 503 5.0.0 need rcpt (recipient)',
      '<<< 554 error: no valid recipients',
      '550 5.1.1 <b@example.org>... user unknown',
    ],
  },
  {
    means: 'the content was there when it was refused',
    line: /after end of data|in reply to end of data|failed after i sent the message|after (?:text|message) command|for text command|step: data send|after sending the (?:message|data)/,
    stage: 'end-of-data',
    examples: [
      'smtp error from remote mail server after end of data:',
      '(in reply to end of data command)',
      '192.0.2.1 failed after i sent the message.',
    ],
  },
  {
    means: 'refused when the content was announced, or with it',
    line: />>> data\b|in reply to data|after (?:pipelined )?data\b|did not like our data|error following data|\[data\]/,
    stage: 'data',
    examples: ['>>> data', '(in reply to data command)'],
  },
];
