/** From what was heard to what is reported. */
import type { Stage } from '../events/delivery-status.ts';
import { formatReply } from '../protocol/smtp/reply-reader.ts';
import type { Observation } from './smtp-client.ts';
import { type Heard, isLost, type Wire } from './wire.ts';

/** The reply code; 0 when there was no reply. */
export function codeOf(heard: Heard): number {
  return isLost(heard) ? 0 : heard.code;
}

/** RFC 5321 §4.2.1: the first digit. */
function classOf(heard: Heard): number {
  return Math.floor(codeOf(heard) / 100);
}

export function isPositive(heard: Heard): boolean {
  return classOf(heard) === 2;
}

export function isIntermediate(heard: Heard): boolean {
  return classOf(heard) === 3;
}

export function isNegative(heard: Heard): boolean {
  return classOf(heard) >= 4;
}

/** RFC 5321 §3.8: the server closes, whatever we said. */
export function isClosing(heard: Heard): boolean {
  return codeOf(heard) === 421;
}

export function observe(stage: Stage, heard: Heard): Observation {
  if (isLost(heard)) {
    return { stage, reply: null, enhancedStatus: null, cause: heard.cause, text: heard.text };
  }
  const { code, text, enhancedStatus } = heard;
  return { stage, reply: { code, text }, enhancedStatus, cause: null, text: '' };
}

/** What was heard instead of the hoped-for reply. A reply that makes no sense here ends the connection. */
export function observeFailure(stage: Stage, heard: Heard, wire: Wire): Observation {
  if (isLost(heard) || isNegative(heard)) return observe(stage, heard);
  const text = `unexpected answer: ${formatReply(heard, heard.enhancedStatus)}`;
  wire.drop({ cause: 'protocol', text });
  return observe(stage, { cause: 'protocol', text });
}

export function unsupported(stage: Stage, enhancedStatus: string, text: string): Observation {
  return { stage, reply: null, enhancedStatus, cause: 'unsupported', text };
}
