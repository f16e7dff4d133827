/**
 * The rehearsal destination: where mail to reserved names (`.test`, `.example`, …) goes when no next hop is set. It
 * behaves as the local part says, so that the whole life of a mail can be seen on a laptop and nothing leaves it.
 * What it "says" passes through the same classification as a real reply.
 *
 * | local part | behaviour |
 * |---|---|
 * | `ok` and any other | delivered |
 * | `defer` | 451 4.3.0 at every attempt |
 * | `greylist` | 450 4.7.1 at the first attempt, then delivered |
 * | `bounce` | 550 5.1.1 |
 * | `block` | 550 5.7.1, a policy block |
 * | `full` | 452 4.2.2 at the first attempt, then 552 5.2.2 |
 * | `slow` | delivered after two seconds |
 * | `drop` | the connection is lost before the answer to the content, at every attempt |
 *
 * A suffix after `+` is ignored: `bounce+42@example.test` bounces as well.
 */
import type { Clock } from '../base/clock.ts';
import type { RemoteMta } from '../events/delivery-status.ts';
import type { Observation } from '../smtp-client/smtp-client.ts';

export const rehearsalMta: RemoteMta = { name: 'rehearsal.invalid', address: '127.0.0.1', port: 25 };

const slowMs = 2_000;

export async function rehearse(forwardPath: string, attempt: number, clock: Clock): Promise<Observation> {
  const localPart = forwardPath.slice(0, forwardPath.lastIndexOf('@')).toLowerCase();
  const behaviour = localPart.split('+')[0] ?? '';
  if (behaviour === 'slow') await clock.sleep(slowMs);
  return observationOf(behaviour, attempt);
}

function observationOf(behaviour: string, attempt: number): Observation {
  const first = attempt === 1;
  switch (behaviour) {
    case 'defer':
      return atRcpt(451, '4.3.0', 'Try again later');
    case 'greylist':
      return first ? atRcpt(450, '4.7.1', 'Greylisted, please try again') : delivered();
    case 'bounce':
      return atRcpt(550, '5.1.1', 'No such user here');
    case 'block':
      return atRcpt(550, '5.7.1', 'Blocked: message refused due to local policy');
    case 'full':
      return first ? atRcpt(452, '4.2.2', 'Mailbox full') : atRcpt(552, '5.2.2', 'Mailbox full');
    case 'drop':
      return {
        stage: 'end-of-data',
        reply: null,
        enhancedStatus: null,
        cause: 'connection-lost',
        text: 'connection lost before the reply to the content',
      };
    default:
      return delivered();
  }
}

function atRcpt(code: number, enhancedStatus: string, text: string): Observation {
  return { stage: 'rcpt', reply: { code, text }, enhancedStatus, cause: null, text: '' };
}

function delivered(): Observation {
  return {
    stage: 'end-of-data',
    reply: { code: 250, text: 'Ok: rehearsed' },
    enhancedStatus: '2.0.0',
    cause: null,
    text: '',
  };
}
