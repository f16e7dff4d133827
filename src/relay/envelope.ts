/** What a client asked for with the envelope, on its way from the submission to the attempt. */
import { isAscii } from 'node:buffer';
import type { DeliveryFacts } from '../events/event.ts';
import {
  type ForwardPathOptions,
  type MailOptions,
  noForwardPathOptions,
  noMailOptions,
} from '../protocol/smtp/envelope-options.ts';
import type { Submission } from './submission.ts';

/** Null and absent: nothing. */
export interface Envelope {
  options: MailOptions | null;
  /** By number of the forward-path. */
  forwardPathOptions: ReadonlyMap<number, ForwardPathOptions>;
}

export function envelopeOf(
  submission: Submission,
  deliveries: readonly Pick<DeliveryFacts, 'n' | 'forwardPath'>[],
): Envelope {
  return {
    options: mailOptionsOf(submission),
    forwardPathOptions: numbered(deliveries, ({ forwardPath }) =>
      forwardPathOptionsOf(submission, forwardPath),
    ),
  };
}

/** For most mail there is none, and no map of its own. */
const none: ReadonlyMap<number, ForwardPathOptions> = new Map();

export function numbered<T extends { n: number }>(
  deliveries: readonly T[],
  optionsOf: (delivery: T) => ForwardPathOptions | null,
): ReadonlyMap<number, ForwardPathOptions> {
  const found = deliveries.flatMap((delivery) => {
    const options = optionsOf(delivery);
    return options ? [[delivery.n, options] as const] : [];
  });
  return found.length === 0 ? none : new Map(found);
}

/**
 * What has to be remembered of the mail's options. Clients say SMTPUTF8 for every mail when a server offers it: only a
 * header section that is not ASCII needs it on the way (RFC 6531 §3.2).
 */
function mailOptionsOf({ options, content }: Submission): MailOptions | null {
  if (!options) return null;
  const kept = { ...options, smtpUtf8: options.smtpUtf8 && !hasAsciiHeader(content) };
  return isNothing(kept, noMailOptions) ? null : kept;
}

function hasAsciiHeader(content: Buffer): boolean {
  const end = content.indexOf('\r\n\r\n', 0, 'latin1');
  return isAscii(content.subarray(0, end === -1 ? content.length : end));
}

function forwardPathOptionsOf(
  { forwardPathOptions }: Submission,
  forwardPath: string,
): ForwardPathOptions | null {
  const options = forwardPathOptions?.get(forwardPath);
  if (!options || isNothing(options, noForwardPathOptions)) return null;
  return options;
}

function isNothing(options: object, nothing: object): boolean {
  return JSON.stringify(options) === JSON.stringify({ ...options, ...nothing });
}
