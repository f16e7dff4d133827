/**
 * Does a refusal say that the address will never take mail? Pure. Only then is it put on the suppression list: what a
 * provider says of us, of the content or of the moment says nothing about the address.
 *
 * Looked at is the reply to RCPT alone. A server that took the forward-path and speaks of an unknown user after the
 * content is a filter, and its one reply holds for every forward-path of the transaction. What our own DNS lookup
 * found (no MX, null MX) is not remembered either: asking again costs nothing and cannot be outdated.
 */
import { limits } from '../base/limits.ts';
import type { DeliveryStatus } from '../events/delivery-status.ts';
import { rehearsalMta } from './rehearsal.ts';

/** No such mailbox, no such domain, bad address, moved, disabled (RFC 3463, 7505, 7372; 5.1.351, 5.4.310 of Exchange). */
const aboutTheAddress = /^5\.(?:1\.(?:0|1|2|3|4|6|10|351)|2\.1|4\.(?:1|4|310)|7\.(?:13|17))$/;

/** A status without a subject: the words decide. */
const unspecific = /^5\.(?:0\.0|2\.0|5\.0)$/;

/** The mailbox is there, and takes no mail at present. */
const forTheMoment = /temporar|try (?:again|later)|\bfull\b|quota|exceeded|too (?:many|much|large|big)/;

export function isAddressGone(status: DeliveryStatus): boolean {
  const { outcome, reason, stage, reply, enhancedStatus, remoteMta } = status;
  // The rehearsal plays a part: `bounce@example.test` bounces each time.
  if (remoteMta?.name === rehearsalMta.name) return false;
  // Words of policy, reputation, a full mailbox have reasons of their own.
  if (outcome !== 'failed' || reason !== 'bounce' || stage !== 'rcpt' || reply === null) return false;
  if (forTheMoment.test(reply.text.slice(0, limits.classifiedTextChars).toLowerCase())) return false;
  return aboutTheAddress.test(enhancedStatus.value) || unspecific.test(enhancedStatus.value);
}
