/**
 * What reporting hosts say in their own words, where no reply of a remote server is told: as data, like
 * `classify-rules.ts`, which judges replies. The first rule that holds counts. And, for both, which words and which
 * statuses say that an address will never take mail: only such an address is suppressed.
 */
import type { Reason } from '../events/reason.ts';
import { foreignFull, foreignUnknown } from './report-languages.ts';

export interface WordRule {
  means: string;
  /** One must hold. Text as one line in lower case, without addresses. No pattern may repeat a repetition: texts are hostile. */
  text?: RegExp;
  /** Enhanced status; with a text either may hold. */
  status?: RegExp;
  reason: Reason;
  /** Mail to this address can never arrive. */
  hard?: true;
  examples: readonly string[];
}

export const ownWords: readonly WordRule[] = [
  {
    means: 'the mailbox is full',
    text: /mailbox (?:is )?full|over ?quota|quota exceeded|exceeds allowed size|mailbox exceeds|exceeded (?:the )?(?:local limit|storage)|out of (?:disk )?space/,
    reason: 'mailbox-full',
    examples: [
      'user mailbox exceeds allowed size:',
      'as their mailbox is full.',
      'this account is over quota.',
      'storage quota exceeded',
      "the number of messages in recipient's mailbox exceeded the local limit.",
    ],
  },
  foreignFull,
  {
    means: 'the domain accepts no mail (RFC 7505), or has no host that does',
    text: /null ?mx|no smtp service|no mx record found|(?:do(?:es)?n't|does not) (?:receive|accept) e?mail|mail exchanger or ip address/,
    reason: 'null-mx',
    hard: true,
    examples: [
      'an mx or srv record indicated no smtp service',
      'no mx record found for domain=example.org',
      "the domain example.org doesn't receive email according to the administrator: returned null mx",
      "sorry, i couldn't find a mail exchanger or ip address. (#5.4.4)",
      'example.org does not accept mail (nullmx)',
    ],
  },
  {
    means: 'looking up the domain failed for the moment',
    text: /(?:host|name) (?:not found, try again|lookup failure)|(?:temporary )?(?:name server|dns|lookup) (?:lookup )?(?:failure|timeout)(?!: host)|cname lookup failed temporarily|try again later: name server/,
    reason: 'dns',
    examples: [
      'name service error for domain example.com: host not found, try again',
      'cname lookup failed temporarily. (#4.4.3)',
      'example.net: host name lookup failure',
    ],
  },
  {
    means: 'the domain does not exist',
    text: /no mx found|(?:host|domain)(?: name)?(?: or domain name)? (?:is )?(?:unknown|not found|does not exist|lookup failure)|(?:host|domain) \S{0,254} ?(?:not found|does not exist)|(?:unknown|illegal|invalid|no such|unroutable) (?:host|domain|mail domain|host\/domain name)|illegal host|unrouteable|(?:couldn't|could not) find any host|name or service not known|nxdomain|all (?:relevant )?mx records point to non-?existent|domain (?:\S{1,20} ){0,3}not (?:reachable|found|exist)|no such domain|bad destination (?:host|system)/,
    reason: 'no-mx',
    hard: true,
    examples: [
      '550 host unknown (authoritative answer from name server)',
      'domain does not exist',
      'no mx found for domain',
      "sorry, i couldn't find any host named example.org. (#5.1.2)",
      'dns lookup failure: host example.org not found',
      'no such domain.',
      'invalid domain',
      'host or domain name not found. name service error for name=example.org type=a: host not found',
      'unknown host',
      'illegal host/domain name found',
      'unrouteable address',
      'the mail could not be delivered to the recipient because the domain is not reachable.',
    ],
  },
  {
    means: 'the mailbox exists, and is closed',
    text: /(?:account|mailbox|user)(?:\(s\))?(?:'s)?(?: \S{1,20}){0,3} (?:disabled|suspended|inactive|locked|on hold)/,
    reason: 'bounce',
    examples: ['the user(s) account is disabled.', 'this account has been disabled or discontinued'],
  },
  {
    means: 'nobody has this address here',
    text: /not listed in|recipient name is not recognized|unknown recipient|unknown user|user unknown|no such (?:user|recipient|mailbox|person)|invalid (?:final delivery userid|user address|recipient|address)|(?:user|recipient|account|mailbox|address) (?:\S{1,20} ){0,6}(?:not found|does not exist|doesn't exist|not exist|unknown|couldn't be found)|no mailbox here|no valid recipients|account is unknown or/,
    reason: 'bounce',
    hard: true,
    examples: [
      'user b () not listed in domino directory',
      'user  not listed in public name & address book',
      'the recipient name is not recognized',
      'sorry, no mailbox here by that name. (#5.1.1)',
      'invalid final delivery userid:',
      'error: invalid user address',
      'account is unknown or is not accepting mail',
      'the email account that you tried to reach does not exist.',
      "the email address you entered couldn't be found.",
    ],
  },
  foreignUnknown,
  {
    means: 'it goes in circles',
    text: /hop count|too many hops|routing loop|mail loop|loops back|duplicated message-id/,
    reason: 'generic',
    examples: [
      'maximum hop count exceeded.  message probably in a routing loop.',
      'duplicated message-id in .',
    ],
  },
  {
    means: 'it was tried for too long',
    text: /(?:message|envelope|queue)[ .]expired|(?:queue|retr(?:y|ies)).{0,30}(?:too long|timeout exceeded|giving up)|not delivered within|unable to deliver .{0,20}after|will be retried|aborted after|(?:has|was) (?:not yet been delivered|delayed)|after multiple retries|giving up(?! on)/,
    status: /^[45]\.4\.7$/,
    reason: 'old',
    examples: [
      "i'm not going to try again; this message has been in the queue too long.",
      'envelope expired',
      'retry timeout exceeded',
      'your message was not delivered within 0 days and 1 hours.',
      'unable to deliver message after multiple retries, giving up.',
      'could not deliver for the last 432000 seconds. giving up.',
      'delevery to the following recipients was aborted after 5.0 hour(s):',
    ],
  },
  {
    means: 'the host could not be reached',
    text: /tim(?:ed|e) ?out|connection (?:refused|reset|lost|timed)|not (?:accept our requests to connect|able to (?:connect|establish))|wasn't able to establish|unable to connect|host (?:is )?(?:not|un)(?: responding|reachable| reachable)|no route to host|network (?:is )?unreachable|lost connection|socket error|could ?n(?:o|')t connect|could not find a gateway/,
    reason: 'connect',
    examples: [
      "sorry, i wasn't able to establish an smtp connection. (#4.4.1)",
      'the recipient server did not accept our requests to connect.',
      'connect to mx.example.org[192.0.2.1]:25: connection timed out',
      'host not reachable.',
      'remote host is not responding.',
    ],
  },
  {
    means: 'a group that takes mail from its members only, or does not exist: one cannot tell',
    text: /group you tried to contact|groups\.google\.com/,
    reason: 'espblock',
    examples: [
      "we're writing to let you know that the group you tried to contact (list) may not exist, or you may not have permission to post messages to the group.",
    ],
  },
];

/** Statuses that say: no such address, no such domain, moved away (RFC 3463; 5.1.10 RFC 7505; 5.1.351, 5.4.310 Exchange). */
export const hardStatus = /^5\.(?:1\.(?:0|1|2|3|4|6|10|351)|4\.(?:1|4|310))$/;

/** Words that say so in a reply, whatever its status. */
export const hardWords =
  /unknown (?:local )?(?:user|recipient|address)|(?:user|recipient|address|mailbox|account|alias)(?:'s)?(?: \S{1,40}){0,5} (?:unknown|invalide?|not (?:found|exist|known|listed)|(?:does|do|did) ?n[o']t exist|doesn't exist|no longer)|no such (?:local )?(?:user|recipient|person|mailbox|address)|no mailbox here|not (?:a |an |our )?(?:valid |known |registered |local )?(?:user|customer|mailbox|recipient)\b|invalid (?:recipient|mailbox|user|address)|illegal user|doesn't have an? \S{1,60} account|mailbox unavailable|inactive email address|address rejected/;

/** Words that say the address is there, and why it takes no mail at present. They outweigh a status. */
export const softWords =
  /disabled|suspended|inactive\b(?! email address)|deactivated|blocked|\bbloque|on hold|recipient preferences|temporar|\blocked|\bfull\b|quota/;
