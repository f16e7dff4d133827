/**
 * What remote servers mean by their refusals: the policy of this relay, as data. The first rule that holds counts.
 * Each was written for real replies; they stand under it, with the addresses and names of examples, and the test
 * takes each of them through the reader and the rules.
 *
 * A rule says why. Whether there is another attempt follows from the class of the reply code, unless the rule says
 * otherwise. Order: first what can be told for sure whatever else is said (greylisting, full mailboxes, block lists),
 * then unknown addresses, then policy in general, then what the codes alone tell.
 */
import type { Stage } from '../events/delivery-status.ts';
import type { Reason } from '../events/reason.ts';

/** All conditions that are given must hold. */
export interface Rule {
  /** What the peer means. */
  means: string;
  /** Reply codes. */
  codes?: readonly number[];
  /** First digit of the reply code. */
  class?: 4 | 5;
  /** Enhanced status, if the peer sent one. */
  status?: RegExp;
  stages?: readonly Stage[];
  providers?: readonly string[];
  /** Reply text as one line in lower case, without addresses. No pattern may repeat a repetition: texts are hostile. */
  text?: RegExp;
  reason: Reason;
  outcome?: 'deferred' | 'failed';
  /** Subject and detail (RFC 3463) to assign when the peer sent no status. */
  assign?: string;
  examples: readonly (readonly [stage: Stage, reply: string, provider?: string])[];
}

/** What is refused here is about hosts. */
export const siteStages: readonly Stage[] = ['greeting', 'ehlo', 'tls', 'auth'];

export const rules: readonly Rule[] = [
  {
    means: 'come back later: new senders are made to wait',
    text: /gr[ae]y-?list/,
    outcome: 'deferred',
    reason: 'greylisted',
    assign: '7.1',
    examples: [
      [
        'rcpt',
        '450 4.2.0 <b@example.org>: Recipient address rejected: Greylisted, see http://postgrey.example/',
      ],
      ['rcpt', '451 4.7.1 Greylisting in action, please come back later'],
      ['rcpt', '450 4.7.1 Greylisted, please try again'],
      ['end-of-data', '451 Internal resources are temporarily unavailable - Graylisted'],
      ['rcpt', '554 5.7.1 <b@example.org>: Recipient address rejected: Grey-listed, retry in 5 minutes'],
    ],
  },
  {
    means: 'come back later, said in other words',
    class: 4,
    stages: ['mail', 'rcpt', 'data', 'end-of-data'],
    text: /(?:try|retry|come back|again)[^.]{0,20} (?:in|after) \d{1,5} ?(?:s\b|sec|m\b|min)|first (?:contact|encounter|attempt|time)/,
    reason: 'greylisted',
    assign: '7.1',
    examples: [
      ['rcpt', '450 4.7.1 <b@example.org>: Recipient address rejected: Please retry in 300 seconds'],
      ['rcpt', '451 You are not yet authorized to deliver mail from here; try again in 5 minutes'],
      ['mail', '450 4.7.1 First contact from this host, please try later'],
    ],
  },
  {
    means: 'the domain accepts no mail (RFC 7504)',
    codes: [556],
    reason: 'null-mx',
    assign: '1.10',
    examples: [['rcpt', '556 Domain does not accept mail']],
  },
  {
    means: 'encryption is wanted first',
    text: /must issue (?:a )?starttls|(?:encryption|tls|starttls) (?:is )?(?:required|needed)|requires? (?:tls|encryption|starttls)/,
    outcome: 'deferred',
    reason: 'tls',
    assign: '7.10',
    examples: [
      ['mail', '530 5.7.0 Must issue a STARTTLS command first'],
      ['mail', '451 5.7.3 STARTTLS is required to send mail'],
    ],
  },
  {
    means: 'TLS cannot be had at the moment',
    stages: ['tls'],
    outcome: 'deferred',
    reason: 'tls',
    assign: '7.0',
    examples: [
      ['tls', '454 4.7.0 TLS not available due to local problem'],
      ['tls', '502 5.5.1 Command not implemented'],
    ],
  },
  {
    means: 'our credentials are refused: the operator has to act, mail waits',
    stages: ['auth'],
    outcome: 'deferred',
    reason: 'internal',
    assign: '7.8',
    examples: [
      ['auth', '535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6'],
      ['auth', '534 authentication mechanism too weak'],
      ['auth', '454 4.7.0 Temporary authentication failure'],
    ],
  },
  {
    means: 'the sender does not pass their checks: SPF, DKIM, DMARC',
    status: /^[45]\.7\.2[0-46-7]$/,
    reason: 'espblock',
    examples: [
      [
        'end-of-data',
        "550-5.7.26 Unauthenticated email from example.net is not accepted due to\n550 5.7.26 domain's DMARC policy. - gsmtp",
      ],
      [
        'end-of-data',
        '451 4.7.26 Unauthenticated email from example.net is not accepted due to domain policy',
      ],
    ],
  },
  {
    means: 'the sender does not pass their checks, said without a status of its own',
    text: /\b(?:spf|dkim|dmarc)\b(?!-)|unauthenticated e?mail|not allowed to send from|sender policy framework/,
    reason: 'espblock',
    assign: '7.1',
    examples: [
      ['mail', '550 Bad SPF records for [example.net:192.0.2.2], see http://spf.example/'],
      ['end-of-data', '550 DMARC check failed. http://service.mail.qq.com/cgi-bin/help?id=16.'],
      ['mail', "550 5.1.0 192.0.2.222 is not allowed to send from <example.net> per it's SPF Record."],
      [
        'end-of-data',
        '550 5.7.1 This message was not accepted due to domain (example.net) owner DMARC policy (RFC 7489)',
      ],
      ['end-of-data', '554 5.7.5 Permanent Error Evaluating DMARC Policy'],
      ['end-of-data', '550 5.7.1 Unauthenticated email from example.net is not accepted'],
    ],
  },
  {
    means: 'the sender itself could not be verified',
    text: /sender (?:address )?verif(?:y|ication) (?:failed|problem)|verification failed for <|domain of sender address|sender address (?:rejected|domain)|invalid sender|sender rejected|(?:unknown|bad) sender/,
    reason: 'espblock',
    assign: '1.8',
    examples: [
      [
        'rcpt',
        '550-Verification failed for <a@example.net>\n550-No Such User Here\n550 Sender verify failed',
      ],
      ['rcpt', '450 4.1.8 <a@example.net>: Sender address rejected: Domain not found'],
      ['mail', '501 5.1.8 Sender address rejected'],
      ['mail', '553 5.1.8 <a@example.net>... Domain of sender address a@example.net does not exist'],
      ['mail', '550 5.1.0 sender rejected : invalid sender domain'],
    ],
  },
  {
    means: 'we have no proper name in the DNS, or give a wrong one',
    text: /\bptr\b|reverse (?:dns|look-?up|host|hostname)|\brdns\b|cannot find your (?:reverse )?host ?name|valid sender domain|helo command rejected|fully-qualified hostname/,
    reason: 'espblock',
    assign: '7.25',
    examples: [
      [
        'greeting',
        '554-example.com (mxgmxus002) Nemesis ESMTP Service not available\n554 Bad DNS PTR resource record.',
      ],
      ['rcpt', '450 4.7.1 Client host rejected: cannot find your hostname, [192.0.2.2]'],
      [
        'end-of-data',
        '550 5.7.25 [192.0.2.2] The IP address sending this message does not have a PTR record',
      ],
      [
        'mail',
        '550 5.7.1 Connections not accepted from servers without a valid sender domain. Fix reverse DNS for 192.0.2.2',
      ],
      ['rcpt', '504 5.5.2 <relay>: Helo command rejected: need fully-qualified hostname'],
    ],
  },
  {
    means: 'we are on a block list',
    text: /spamhaus|spamcop|sorbs|barracuda|cloudmark|uceprotect|abusix|uribl|surbl|\b(?:dns|ur|r)?[br]bl\b|dnsbl|(?:black|block|deny)[ -]?list|(?:is|was|been|are) listed|listed (?:in|on|at|by)\b|blocked (?:using|by)|ipcheck\.|banned sending ip/,
    reason: 'espblock',
    assign: '7.1',
    examples: [
      ['rcpt', '554 5.7.1 Service unavailable; Client host [192.0.2.2] blocked using zen.spamhaus.org'],
      ['greeting', '554 Blocked - see https://support.proofpoint.com/dnsbl-lookup.cgi?ip=192.0.2.225'],
      ['rcpt', '550 5.2.1 Mailbox unavailable. Your IP address 192.0.2.2 is blacklisted using SPAMHAUS-XBL.'],
      [
        'mail',
        "550 5.7.1 Unfortunately, messages from [192.0.2.2] weren't sent. Part of their network is on our block list (S3140).",
        'outlook.com',
      ],
      [
        'mail',
        "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.2, because the ip is in Spamhaus's list",
        'yahoo.com',
      ],
      ['rcpt', '550 5.7.1 IP address blacklisted by recipient'],
      [
        'rcpt',
        '550 5.7.606 Access denied, banned sending IP [192.0.2.2]. To request removal visit https://sender.office.com/',
      ],
      ['rcpt', '521 5.7.1 Service unavailable; client [192.0.2.2] blocked using dnsbl.sorbs.net'],
    ],
  },
  {
    means: 'we have a bad name with them',
    text: /reputation|user complaints|unusual rate of|unsolicited|likely suspicious|permanently deferred|identified as spam|\b(?:sending|sends?|source of) spam/,
    reason: 'espblock',
    assign: '7.1',
    examples: [
      [
        'end-of-data',
        '550-5.7.1 [192.0.2.2 18] Our system has detected that this message is\n550-5.7.1 likely suspicious due to the very low reputation of the sending IP\n550 5.7.1 address. - gsmtp',
      ],
      [
        'end-of-data',
        '421-4.7.28 [192.0.2.2 15] Our system has detected an unusual rate of\n421 4.7.28 unsolicited mail originating from your IP address. - gsmtp',
        'gmail.com',
      ],
      [
        'mail',
        '421 4.7.0 [TSS04] Messages from 192.0.2.192 temporarily deferred due to unexpected volume or user complaints',
        'yahoo.com',
      ],
      [
        'mail',
        '421 4.7.1 [TSS11] All messages from 192.0.2.2 will be permanently deferred; Retrying will NOT succeed.',
        'yahoo.com',
      ],
      [
        'mail',
        '451 4.7.650 The mail server [192.0.2.25] has been temporarily rate limited due to IP reputation.',
        'outlook.com',
      ],
      [
        'greeting',
        "554 mx.example.com Your access to this mail system has been rejected due to the sending MTA's poor reputation.",
      ],
    ],
  },
  {
    means: 'the mailbox is full',
    status: /^[45]\.2\.2$/,
    reason: 'mailbox-full',
    examples: [
      [
        'rcpt',
        '452-4.2.2 The email account that you tried to reach is over quota. Please direct\n452 4.2.2 the recipient to a page. - gsmtp',
        'gmail.com',
      ],
      [
        'rcpt',
        "552-5.2.2 The recipient's inbox is out of storage space and inactive. Please\n552 5.2.2 direct the recipient to a page - gsmtp",
        'gmail.com',
      ],
      ['rcpt', '552 5.2.2 <b@icloud.example>: user is over quota'],
      ['end-of-data', '554 5.2.2 STOREDRV.Deliver: mailbox full'],
    ],
  },
  {
    means: 'the mailbox is full, said without the status',
    text: /over ?quota|(?:mailbox|inbox|maildir|account|user|recipient)(?: is| has| size| disk| storage| exceeded| limit| temporarily){0,3} (?:full|exceeded|over (?:its |the |their )?(?:quota|limit))|(?:mailbox|inbox|mail ?box) .{0,40}(?:\bfull\b|quota)|(?:mailbox|user|disk|storage) quota|quota exceeded|out of storage|not enough (?:storage )?space|exceed(?:s|ed|ing)? (?:the |its |storage |mailbox |disk ){0,2}(?:quota|allocation)|bo[iî]te (?:pleine|.{0,20} pleine)|postfach ist voll/,
    reason: 'mailbox-full',
    assign: '2.2',
    examples: [
      ['rcpt', '522 5.2.0 Delivery failed: Over quota'],
      ['rcpt', '552 Requested mail action aborted: exceeded storage allocation'],
      ['rcpt', '552 Mailbox is full / Mailbox exceeds quota'],
      ['rcpt', '450 Mailbox of this user has exceeded its quota'],
      ['rcpt', '550 Quota exceeded (mailbox for user is full)'],
      ['rcpt', '452 <b@example.org> Mailbox size limit exceeded'],
      ['rcpt', '550 5.5.0 La boîte est pleine. Mailbox is full.'],
    ],
  },
  {
    means: 'too many forward-paths at once (RFC 5321 §4.5.3.1.10): the others may follow',
    text: /too many (?:recipients|rcpts?|addressees)(?! this)/,
    stages: ['rcpt', 'data'],
    outcome: 'deferred',
    reason: 'rate-limited',
    assign: '5.3',
    examples: [
      ['rcpt', '452 4.5.3 Error: too many recipients'],
      ['rcpt', '552 Too many recipients'],
      [
        'rcpt',
        '452-4.5.3 Your message has too many recipients. For more information regarding\n452 4.5.3 limits, go to a page. - gsmtp',
        'gmail.com',
      ],
    ],
  },
  {
    means: 'we send more than they want at a time',
    text: /too many (?:\w+ ){0,2}(?:connections|sessions|messages|e?mails|errors|recipients this)|(?:rate|frequency|volume|sending|hourly|daily|message|connection|sending quota)s? (?:limit|quota)(?:ed|s)?\b|frequency limited|limit(?:ed)? (?:has been |was )?(?:exceeded|reached)|rate exceeded|throttl|slow down|(?:mail|messages) (?:too quickly|at a rate)|server busy|maximum (?:number of )?(?:connections|sessions)/,
    outcome: 'deferred',
    reason: 'rate-limited',
    assign: '4.5',
    examples: [
      ['greeting', '421 4.7.0 Error: too many connections from 192.0.2.2'],
      [
        'rcpt',
        '450-4.2.1 The user you are trying to contact is receiving mail too quickly.\n450 4.2.1 Please resend your message at a later time. - gsmtp',
        'gmail.com',
      ],
      ['mail', '452 4.3.2 Connection rate limit exceeded.'],
      ['end-of-data', '451 4.7.500 Server busy. Please try again later from [192.0.2.2].', 'outlook.com'],
      ['end-of-data', '550 5.4.5 Daily user sending limit exceeded. - gsmtp', 'gmail.com'],
      ['greeting', '421 Too many concurrent SMTP connections; please try again later.'],
      ['rcpt', '550 5.1.1 <b@example.com> - 203.0.113.222 has sent to too many recipients this hour. IB607'],
      [
        'mail',
        '550 Connection frequency limited [http://service.mail.qq.com/cgi-bin/help?id=20022]',
        'qq.com',
      ],
      ['greeting', '421 4.1.0 192.0.2.2 Throttled - try again later. Please see a page.'],
      [
        'mail',
        '421 mwinf5c04 ME Trop de connexions, veuillez verifier votre configuration. Too many connections, slow down. OFR005_104',
      ],
    ],
  },
  {
    means: 'the content is too big',
    status: /^[45]\.(?:3\.4|2\.3)$/,
    reason: 'generic',
    examples: [
      ['end-of-data', '552 5.3.4 Message size exceeds fixed limit'],
      ['rcpt', '550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient'],
    ],
  },
  {
    means: 'the content is too big, said without the status',
    text: /(?:message|mail|size|content|headers?)(?: \w+){0,4} (?:too (?:big|large|long)|exceeds?)|exceeds? (?:\w+ ){0,3}(?:message|mail|size|length)/,
    reason: 'generic',
    assign: '3.4',
    examples: [
      ['mail', '552 Message size exceeds maximum permitted'],
      ['end-of-data', '523 the message size exceeds the limit set by the recipient'],
      ['end-of-data', '552 5.6.0 Headers too large (32768 max)'],
      ['end-of-data', '554 Your mail is too big'],
    ],
  },
  {
    means: 'we are not allowed to relay through them: the domain points to the wrong host',
    text: /relay(?:ing)? (?:access )?(?:is )?(?:denied|prohibited|not (?:permitted|allowed))|not (?:permitted|configured|allowed|authori[sz]ed) to relay|(?:do|does|can) ?n[o']t relay|unable to relay|rcpthosts/,
    reason: 'generic',
    assign: '7.1',
    examples: [
      ['rcpt', '554 5.7.1 <b@example.org>: Relay access denied'],
      ['rcpt', '550 relay not permitted'],
      ['rcpt', '550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain'],
      ['rcpt', "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"],
      [
        'rcpt',
        '501 5.7.1 This system is not configured to relay mail from <a@example.net> to <b@example.org>',
      ],
    ],
  },
  {
    means: 'they want a login, so they are no server for mail from outside',
    class: 5,
    codes: [530, 538],
    reason: 'generic',
    assign: '7.0',
    examples: [
      ['mail', '530 5.7.0 Authentication required'],
      ['rcpt', '530 SMTP authentication is required.'],
    ],
  },
  {
    means: 'the address does not exist or will not take mail any more',
    class: 5,
    status: /^5\.(?:1\.(?:1|3|6|10)|7\.(?:13|17))$/,
    stages: ['rcpt', 'data', 'end-of-data'],
    reason: 'bounce',
    examples: [
      [
        'rcpt',
        '550 5.1.1 <b@example.org>: Recipient address rejected: User unknown in virtual mailbox table',
      ],
      [
        'rcpt',
        '550-5.1.1 The email account that you tried to reach does not exist. Please try\n550-5.1.1 double-checking the address\n550 5.1.1 - gsmtp',
        'gmail.com',
      ],
      ['rcpt', '550 5.1.1 <nospam@example.org>: User unknown'],
      [
        'rcpt',
        '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup',
        'outlook.com',
      ],
      ['rcpt', '553 5.1.3 <b@example..org>... Invalid address syntax'],
      ['rcpt', '550 5.1.6 recipient no longer on server: b@example.org'],
      ['rcpt', '525 5.7.13 Disabled recipient address'],
    ],
  },
  {
    means: 'the address does not exist or will not take mail any more, in words',
    class: 5,
    stages: ['rcpt', 'data', 'end-of-data'],
    text: /(?:user|recipient|mailbox|e?mail account|account|address|alias|person)(?:'s)?(?: \S{1,40}){0,7} (?:unknown|disabled|inactive|invalide?|suspended|discontinued|deactivated|expired|closed|not (?:found|exist|known|listed|active|available|valid)|(?:does|do|did) ?n[o']t exist|doesn't exist|unavailable|no longer)|(?:unknown|no such|invalid|non-?existent|no) (?:local )?(?:user|recipient|mailbox|address|account|person|one by that)|unknown address|inactive (?:e?mail )?address|not (?:a |an |our )?(?:valid |known |registered |local )?(?:user|customer|mailbox|recipient|address)\b|doesn't have an? \S{1,60} account|user (?:not|unknown)|account (?:is )?(?:disabled|bloque|blocked)/,
    reason: 'bounce',
    assign: '1.1',
    examples: [
      ['rcpt', '550 <b@example.org>: User unknown'],
      ['rcpt', '550 5.7.1 550 User Unknown: b@example.org'],
      [
        'rcpt',
        "554 delivery error: dd This user doesn't have a yahoo.com account (b@yahoo.com) [0]",
        'yahoo.com',
      ],
      ['rcpt', '550 Requested action not taken: mailbox unavailable', 'outlook.com'],
      ['rcpt', '550 5.5.0 Adresse destinataire invalide. Invalid recipient. LPN007_416'],
      [
        'rcpt',
        '550 5.5.0 Le compte du destinataire est bloque. The recipient account is blocked. LPN007_426',
      ],
      [
        'end-of-data',
        '554 delivery error: dd Sorry your message to b@example.jp cannot be delivered. This account has been disabled or discontinued [#102].',
      ],
      ['rcpt', '550 No such user - psmtp'],
      ['rcpt', '551 not our customer'],
      ['rcpt', '550 Mailbox not found. http://service.mail.qq.com/cgi-bin/help', 'qq.com'],
      ['rcpt', '552 1 Requested mail action aborted, mailbox not found'],
      [
        'rcpt',
        '550-5.2.1 The email account that you tried to reach is disabled. Learn more at\n550 5.2.1 a page - gsmtp',
        'gmail.com',
      ],
      ['rcpt', '511 sorry, no mailbox here by that name (#5.1.1 - chkuser)'],
    ],
  },
  {
    means: 'the directory does not know the address: "access denied" of this host is meant so',
    class: 5,
    status: /^5\.4\.1$/,
    stages: ['rcpt'],
    text: /recipient address rejected/,
    reason: 'bounce',
    examples: [
      [
        'rcpt',
        '550 5.4.1 [b@example.org]: Recipient address rejected: Access denied [XX0.prod.protection.outlook.com]',
        'outlook.com',
      ],
    ],
  },
  {
    means: 'the mail goes in circles',
    status: /^[45]\.4\.6$/,
    reason: 'generic',
    examples: [['end-of-data', '554 5.4.6 Too many hops']],
  },
  {
    means: 'the mail goes in circles, said without the status',
    text: /too many hops|hop count|routing loop|mail loop|loops? back/,
    reason: 'generic',
    assign: '4.6',
    examples: [
      ['end-of-data', '554 Error: too many hops'],
      ['end-of-data', '550 5.4.14 Hop count exceeded - possible mail loop ATTR34'],
    ],
  },
  {
    means: 'the content breaks the rules of the format',
    class: 5,
    stages: ['data', 'end-of-data'],
    text: /duplicate header|multiple (?:addresses|from)|missing (?:\S{1,20} )?header|malformed|not rfc|rfc ?-?\d?822|rfc ?5322|bare (?:lf|cr|newline)|line (?:is )?too long|invalid header|header error|8.?bit/,
    reason: 'generic',
    assign: '6.0',
    examples: [
      ['end-of-data', "554 Transaction failed: Duplicate header 'DKIM-Signature'."],
      [
        'end-of-data',
        '550-5.7.1 [192.0.2.2 13] Messages with multiple\n550 5.7.1 addresses in From: header are not accepted. - gsmtp',
        'gmail.com',
      ],
      [
        'end-of-data',
        '550 5.6.11 SMTPSEND.BareLinefeedsAreIllegal; message contains bare line feeds, malformed',
      ],
      ['end-of-data', '554 5.7.9 Header error'],
      ['end-of-data', '550 Maximum line length exceeded, line is too long (see RFC 5322 2.1.1)'],
    ],
  },
  {
    means: 'codes of a mailbox provider for a bad name or unwanted content',
    providers: ['163.com', '126.com', 'yeah.net', '188.com'],
    text: /\b(?:dt|hl|mi|ip|rp|gh|ds):[a-z]{3}\b/,
    reason: 'espblock',
    assign: '7.1',
    examples: [
      [
        'end-of-data',
        '554 DT:SPM 163 mx9,PsCowECpK0x,2105 http://mail.163.com/help/help_spam_16.htm',
        '163.com',
      ],
      ['rcpt', '550 HL:REP 163 smtp10,D9GowABHs1w 1', '126.com'],
    ],
  },
  {
    means: 'no service for our address, in the words of one provider',
    providers: ['t-online.de', 'magenta.de'],
    stages: siteStages,
    text: /a problem occurred/,
    reason: 'espblock',
    assign: '7.1',
    examples: [
      [
        'greeting',
        '554 IP=192.0.2.2 - A problem occurred. (Ask your postmaster for help or to contact tosa@rx.t-online.de to clarify.)',
        't-online.de',
      ],
    ],
  },
  {
    means: 'unwanted content or unwanted sender: their policy',
    text: /\bspam|\bspammy|\bube\b|\bjunk|\bvirus|malware|phish|potential security|content (?:denied|rejected|blocked)|policy|polic(?:y|ies)|administrativ|prohibited|not accepted|access (?:is )?denied|client host rejected|blocked|refused|\bbanned\b|service refuse|message (?:was |has been )?(?:not allowed|rejected|filtered|blocked|refused)|suspected|not allowed/,
    reason: 'espblock',
    assign: '7.1',
    examples: [
      ['end-of-data', '554 5.7.1 Email cannot be delivered. Reason: Email flagged as Spam.'],
      ['end-of-data', '550 Virus Detected; Content Rejected'],
      [
        'end-of-data',
        '552-5.7.0 This message was blocked because its content presents a potential\n552 5.7.0 security issue. - gsmtp',
        'gmail.com',
      ],
      [
        'end-of-data',
        '554 5.7.9 Message not accepted for policy reasons. See https://postmaster.example/error-codes',
        'yahoo.com',
      ],
      ['mail', '550 Mail from a@example.net rejected for policy reasons.'],
      ['rcpt', '550 Denied by policy'],
      ['rcpt', '550 5.7.1 Access denied'],
      ['rcpt', '550 Administrative prohibition'],
      ['end-of-data', '550 Mail content denied. http://service.mail.qq.com/cgi-bin/help', 'qq.com'],
      [
        'end-of-data',
        '554 5.7.1 [HM08] Message rejected due to local policy. Please visit https://support.apple.com/',
        'icloud.com',
      ],
      [
        'mail',
        '421 mwinf5c77 ME Service refuse. Veuillez essayer plus tard. Service refused, please try later. OFR_999 [999]',
      ],
      ['end-of-data', '550 permanent failure for one or more recipients (b@example.org:blocked)'],
      [
        'end-of-data',
        '550 spam message rejected. Please visit http://help.mail.ru/notspam-support/id?c=x',
        'mail.ru',
      ],
    ],
  },
  {
    means: 'a matter of security or policy, whatever the words',
    status: /^[45]\.7\.\d{1,3}$/,
    reason: 'espblock',
    examples: [
      ['rcpt', '550 5.7.9 Rejected'],
      [
        'rcpt',
        '550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required for sender',
        'outlook.com',
      ],
      ['greeting', '421 4.7.0 Try again later, closing connection. - gsmtp', 'gmail.com'],
    ],
  },
  {
    means: 'the sender is not wanted, or does not exist for them',
    status: /^[45]\.1\.[78]$/,
    reason: 'espblock',
    examples: [['rcpt', '553 5.1.8 Domain of a@example.net does not resolve']],
  },
  {
    means: 'the storage of this mailbox is used up (RFC 5321 §4.2.3)',
    codes: [552],
    stages: ['rcpt'],
    reason: 'mailbox-full',
    assign: '2.2',
    examples: [['rcpt', '552 Requested mail action aborted']],
  },
  {
    means: 'their system, or the conversation with it, is out of order',
    class: 5,
    status: /^5\.(?:3|5)\.[1-9]\d{0,2}$/,
    reason: 'generic',
    examples: [
      ['rcpt', '554 5.3.5 Internal System Error'],
      ['rcpt', '503 5.5.1 Bad sequence of commands'],
      ['rcpt', '555 5.5.4 Unsupported option'],
    ],
  },
  {
    means: 'the command is not understood (RFC 5321 §4.2.2)',
    codes: [500, 501, 502, 503, 504, 555],
    stages: ['mail', 'rcpt', 'data', 'end-of-data'],
    reason: 'generic',
    examples: [
      ['rcpt', '503 Improper sequence of commands'],
      ['mail', '501 Syntax error in parameters or arguments'],
      ['data', '503 no valid RCPT'],
    ],
  },
  {
    means: 'the format or the conversion of the content (RFC 3463 §3.7)',
    class: 5,
    status: /^5\.6\.\d{1,3}$/,
    reason: 'generic',
    examples: [['end-of-data', '554 5.6.0 Corrupt message']],
  },
  {
    means: 'their service is not there',
    class: 5,
    stages: ['rcpt', 'data', 'end-of-data'],
    text: /service (?:is )?(?:currently |temporarily )?unavailable|internal (?:server )?error|temporary (?:failure|problem)|system error|message expired/,
    reason: 'generic',
    assign: '3.0',
    examples: [
      ['rcpt', '554 Service currently unavailable'],
      ['end-of-data', '550 QUEUE.Expired; message expired'],
    ],
  },
  {
    means: 'they do not talk to us; another host of the domain, or another day, may',
    class: 5,
    stages: siteStages,
    outcome: 'deferred',
    reason: 'espblock',
    assign: '7.1',
    examples: [
      ['greeting', '554 ESMTP not accepting connections'],
      ['greeting', '521 mx.example.net does not accept mail'],
      ['ehlo', '550 5.5.0 go away'],
    ],
  },
  {
    means: 'MAIL was refused: it is about us and our sender, not about the address',
    class: 5,
    stages: ['mail'],
    reason: 'espblock',
    assign: '7.1',
    examples: [
      ['mail', '550 no'],
      ['mail', '550 5.0.0 Rejected'],
    ],
  },
  {
    means: 'refused, and nothing says that it is about anything but this address and this mail',
    class: 5,
    reason: 'bounce',
    examples: [
      ['rcpt', '550 5.0.0 Rejected'],
      ['rcpt', '542 b@example.com Rejected'],
      ['data', '554 no'],
      ['end-of-data', '550 5.2.0 Message undeliverable'],
      ['rcpt', '550 Unrouteable address'],
    ],
  },
  {
    means: 'not now',
    class: 4,
    reason: 'generic',
    examples: [
      ['rcpt', '450 4.1.1 <b@example.org>: Recipient address rejected: User unknown in virtual alias table'],
      ['rcpt', '452 4.3.1 Insufficient system storage'],
      ['end-of-data', '451 4.3.0 Temporary lookup failure'],
      ['greeting', '421 Service not available, closing transmission channel'],
      ['end-of-data', '421 4.4.2 Timeout while waiting for data'],
    ],
  },
];
