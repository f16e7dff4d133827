/**
 * Who sends, who receives, and what servers say: the tables the made-up history draws from. Shares are those of a
 * relay with customers of very different size: one sends a third of everything, most send little.
 */
import { weightedChoice } from './random.ts';

export const tenantCount = 500;

/** The first tenant has a third; the others share the rest as 1/2, 1/3, 1/4 …. */
const restOfWeights = Array.from({ length: tenantCount - 1 }, (_, index) => 1 / (index + 2));
const restSum = restOfWeights.reduce((sum, weight) => sum + weight, 0);
export const tenantShares: readonly number[] = [
  1 / 3,
  ...restOfWeights.map((weight) => (weight / restSum) * (2 / 3)),
];

export interface Provider {
  name: string;
  weight: number;
  hosts: readonly string[];
  addresses: readonly string[];
  /** What it says when it takes a mail, before an id of its own. */
  accepts: string;
  tls: string;
}

const large = (name: string, weight: number, hosts: readonly string[], accepts: string): Provider => ({
  ...{ name, weight, hosts, accepts, tls: 'TLS_AES_256_GCM_SHA384' },
  addresses: Array.from({ length: 24 }, (_, index) => `198.51.100.${(name.length * 8 + index) % 250}`),
});

export const providers: readonly Provider[] = [
  large('gmail.com', 42, ['gmail-smtp-in.example', 'alt1.gmail-smtp-in.example'], 'OK '),
  large('outlook.com', 14, ['outlook-com.olc.example'], '<queued> [InternalId='),
  large('yahoo.com', 8, ['mta5.am0.example', 'mta6.am0.example', 'mta7.am0.example'], 'ok dirdel '),
  large('icloud.com', 5, ['mx01.mail.icloud.example', 'mx02.mail.icloud.example'], 'Ok: queued as '),
  large('gmx.net', 4, ['mx00.emig.example'], 'Requested mail action okay, completed: id='),
];
export const pickProvider = weightedChoice([...providers, null], (one) => one?.weight ?? 27);

/** Domains of companies: a long tail. */
export const companyDomains = 20_000;

const firstNames =
  'anna ben carla david elena finn greta hugo ida jonas klara leo mia noah olga paul rosa sam tina uwe vera will xenia yann zoe'.split(
    ' ',
  );
const lastNames =
  'adler baker chen diaz evans fischer garcia haas ivanov jansen khan lopez meyer novak olsen patel quinn rossi smith tanaka ueda vogel weber young ziegler'.split(
    ' ',
  );

/** The person with this number: always the same address. */
export function localPartOf(person: number): string {
  const first = firstNames[person % firstNames.length] ?? '';
  const last = lastNames[Math.floor(person / firstNames.length) % lastNames.length] ?? '';
  const rest = Math.floor(person / (firstNames.length * lastNames.length));
  const separator = person % 3 === 0 ? '' : '.';
  return `${first}${separator}${last}${rest === 0 ? '' : rest}`;
}

export interface Template {
  name: string;
  /** `#` becomes a number of the mail's own. */
  subject: string;
  localPart: string;
  tags: readonly string[];
  category: 'TXN' | 'OTP' | 'MKT' | '';
  weight: number;
  bytes: number;
  openRate: number;
}

export const templates: readonly Template[] = [
  {
    name: 'otp',
    subject: '# is your sign-in code',
    localPart: 'no-reply',
    tags: ['otp'],
    category: 'OTP',
    weight: 30,
    bytes: 4_000,
    openRate: 0.15,
  },
  {
    name: 'order',
    subject: 'Your order # has been received',
    localPart: 'orders',
    tags: ['order', 'transactional'],
    category: 'TXN',
    weight: 20,
    bytes: 28_000,
    openRate: 0.35,
  },
  {
    name: 'shipped',
    subject: 'Order # is on its way',
    localPart: 'orders',
    tags: ['order', 'shipping'],
    category: 'TXN',
    weight: 12,
    bytes: 31_000,
    openRate: 0.45,
  },
  {
    name: 'invoice',
    subject: 'Your invoice #',
    localPart: 'billing',
    tags: ['invoice'],
    category: 'TXN',
    weight: 8,
    bytes: 90_000,
    openRate: 0.3,
  },
  {
    name: 'reset',
    subject: 'Reset your password',
    localPart: 'no-reply',
    tags: [],
    category: 'TXN',
    weight: 6,
    bytes: 5_000,
    openRate: 0.4,
  },
  {
    name: 'news',
    subject: 'What is new this week',
    localPart: 'news',
    tags: ['newsletter'],
    category: 'MKT',
    weight: 20,
    bytes: 60_000,
    openRate: 0.1,
  },
  {
    name: '',
    subject: 'Re: your question about the delivery',
    localPart: 'support',
    tags: [],
    category: '',
    weight: 4,
    bytes: 9_000,
    openRate: 0,
  },
];

export interface Refusal {
  stage: 'dns' | 'connect' | 'mail' | 'rcpt' | 'end-of-data';
  code: number | null;
  enhanced: string;
  text: string;
  reason: 'greylisted' | 'espblock' | 'mailbox-full' | 'connect' | 'generic' | 'bounce' | 'no-mx';
  weight: number;
}

export const temporary: readonly Refusal[] = [
  {
    stage: 'rcpt',
    code: 450,
    enhanced: '4.2.0',
    text: 'Greylisted, see https://greylist.example/help',
    reason: 'greylisted',
    weight: 5,
  },
  {
    stage: 'mail',
    code: 421,
    enhanced: '4.7.28',
    text: 'Our system has detected an unusual rate of mail from your IP address',
    reason: 'espblock',
    weight: 3,
  },
  {
    stage: 'rcpt',
    code: 452,
    enhanced: '4.2.2',
    text: "The recipient's inbox is out of storage space",
    reason: 'mailbox-full',
    weight: 2,
  },
  {
    stage: 'connect',
    code: null,
    enhanced: '4.4.1',
    text: 'no connection to the server: timed out after 30 s',
    reason: 'connect',
    weight: 2,
  },
  {
    stage: 'end-of-data',
    code: 451,
    enhanced: '4.3.0',
    text: 'Temporary server error, please try again later',
    reason: 'generic',
    weight: 2,
  },
];

export const permanent: readonly Refusal[] = [
  {
    stage: 'rcpt',
    code: 550,
    enhanced: '5.1.1',
    text: 'The email account that you tried to reach does not exist',
    reason: 'bounce',
    weight: 8,
  },
  {
    stage: 'end-of-data',
    code: 554,
    enhanced: '5.7.1',
    text: 'Message refused by policy',
    reason: 'espblock',
    weight: 3,
  },
  {
    stage: 'dns',
    code: null,
    enhanced: '5.4.4',
    text: 'the domain has neither an MX nor an address record',
    reason: 'no-mx',
    weight: 1,
  },
  { stage: 'rcpt', code: 552, enhanced: '5.2.2', text: 'Mailbox full', reason: 'mailbox-full', weight: 1 },
];

export interface Reader {
  device: 'desktop' | 'mobile' | 'tablet' | 'unknown';
  client: string;
  os: string;
  isBot: boolean;
  userAgent: string;
  weight: number;
}

export const readers: readonly Reader[] = [
  {
    device: 'mobile',
    client: 'Mobile Safari',
    os: 'iOS',
    isBot: false,
    userAgent:
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)',
    weight: 5,
  },
  {
    device: 'mobile',
    client: 'Chrome',
    os: 'Android',
    isBot: false,
    userAgent:
      'Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36',
    weight: 3,
  },
  {
    device: 'desktop',
    client: 'Chrome',
    os: 'Windows',
    isBot: false,
    userAgent:
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
    weight: 4,
  },
  {
    device: 'tablet',
    client: 'Safari',
    os: 'iPadOS',
    isBot: false,
    userAgent: 'Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)',
    weight: 1,
  },
  {
    device: 'unknown',
    client: '',
    os: '',
    isBot: true,
    userAgent: 'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)',
    weight: 4,
  },
];

export const countries = ['us', 'us', 'us', 'de', 'de', 'gb', 'fr', 'in', 'br', 'nl', 'es', ''] as const;
export const pickTemplate = weightedChoice(templates, ({ weight }) => weight);
export const pickTemporary = weightedChoice(temporary, ({ weight }) => weight);
export const pickPermanent = weightedChoice(permanent, ({ weight }) => weight);
export const pickReader = weightedChoice(readers, ({ weight }) => weight);
