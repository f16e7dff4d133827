/**
 * Why a mail was not (or not yet) delivered: one closed list for every surface. Members are only added.
 * The list is that of the canonical model; the words of foreign APIs are tables in their dialects.
 */
export const reasons = [
  /** 5xx on the recipient or the content: the address does not exist or will not take it. */
  'bounce',
  /** The provider refuses by reputation or policy; says nothing about the address. */
  'espblock',
  'greylisted',
  'generic',
  /** The retry schedule is used up. */
  'old',
  'no-mx',
  'null-mx',
  'connect',
  'tls',
  'dns',
  'mailbox-full',
  'rate-limited',
  'suppress-bounce',
  'suppress-complaint',
  'suppress-unsubscribe',
  'deny-rule',
  /** The sender's domain is not a verified sending domain of the tenant. */
  'sender-domain',
  'template',
  'credit',
  /** An operator or the tenant took it out of the queue. */
  'canceled',
  'internal',
] as const;

export type Reason = (typeof reasons)[number];
