/** What a server offers in its answer to EHLO (RFC 5321 §4.1.1.1), as far as a client can use it. */

export interface Extensions {
  pipelining: boolean;
  eightBitMime: boolean;
  smtpUtf8: boolean;
  startTls: boolean;
  /** RFC 1870. Null: not offered. `limit` 0: no limit is announced. */
  size: { limit: number } | null;
  /** Mechanisms of AUTH, upper case. */
  auth: readonly string[];
  /** RFC 3461. */
  dsn: boolean;
  /** RFC 8689; only worth something when said under TLS. */
  requireTls: boolean;
  /** RFC 6710. */
  mtPriority: boolean;
  limits: ServerLimits;
}

/** RFC 9422; null: not announced. */
export interface ServerLimits {
  /** Mail transactions of one session. */
  mailMax: number | null;
  /** Forward-paths of one mail transaction, and their domains. */
  rcptMax: number | null;
  rcptDomainMax: number | null;
}

const noLimits: ServerLimits = { mailMax: null, rcptMax: null, rcptDomainMax: null };

/** A server that knows HELO only. */
export const noExtensions: Extensions = {
  pipelining: false,
  eightBitMime: false,
  smtpUtf8: false,
  startTls: false,
  size: null,
  auth: [],
  dsn: false,
  requireTls: false,
  mtPriority: false,
  limits: noLimits,
};

/** `text` is that of the reply: the first line is the greeting, each other one keyword and its parameters. */
export function parseExtensions(text: string): Extensions {
  const offered = new Map<string, string[]>();
  for (const line of text.split('\n').slice(1)) {
    // Some servers write `AUTH=PLAIN LOGIN`, as a draft of RFC 2554 had it.
    const [keyword = '', ...parameters] = line
      .trim()
      .toUpperCase()
      .replace(/^AUTH=/, 'AUTH ')
      .split(/\s+/);
    offered.set(keyword, [...(offered.get(keyword) ?? []), ...parameters]);
  }
  return {
    pipelining: offered.has('PIPELINING'),
    eightBitMime: offered.has('8BITMIME'),
    smtpUtf8: offered.has('SMTPUTF8'),
    startTls: offered.has('STARTTLS'),
    size: parseSize(offered.get('SIZE')),
    auth: offered.get('AUTH') ?? [],
    dsn: offered.has('DSN'),
    requireTls: offered.has('REQUIRETLS'),
    mtPriority: offered.has('MT-PRIORITY'),
    limits: parseLimits(offered.get('LIMITS')),
  };
}

/** An argument that is no number announces no limit. */
function parseSize(parameters: string[] | undefined): Extensions['size'] {
  if (parameters === undefined) return null;
  const [limit = '0'] = parameters;
  return { limit: /^\d{1,15}$/.test(limit) ? Number(limit) : 0 };
}

/** A limit that is malformed counts as not announced (RFC 9422), and so does one that lets nothing through. */
function parseLimits(parameters: string[] | undefined): ServerLimits {
  if (parameters === undefined) return noLimits;
  const limitOf = (name: string): number | null => {
    const value = parameters.find((parameter) => parameter.startsWith(`${name}=`))?.slice(name.length + 1);
    return value !== undefined && /^\d{1,6}$/.test(value) && Number(value) > 0 ? Number(value) : null;
  };
  return {
    mailMax: limitOf('MAILMAX'),
    rcptMax: limitOf('RCPTMAX'),
    rcptDomainMax: limitOf('RCPTDOMAINMAX'),
  };
}
