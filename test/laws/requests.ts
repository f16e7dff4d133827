/**
 * Requests that together show all a dialect can tell: every endpoint of the reference, over all of time, and
 * again with each of the parameters that change what is shown. A new endpoint is asked without a word here.
 */

import type { Endpoint } from '../../src/http/endpoint.ts';
import type { Call, DialectDescription, Parameter, Subject } from '../conformance/dialect/description.ts';
import { kaleyra } from '../conformance/dialect/kaleyra.ts';
import { mailbaby } from '../conformance/dialect/mailbaby.ts';
import { mailgun } from '../conformance/dialect/mailgun.ts';
import { submail } from '../conformance/dialect/submail.ts';

export const descriptions: readonly DialectDescription[] = [mailgun, mailbaby, kaleyra, submail];

interface Variety {
  /** Given with every question whose endpoint knows them. */
  always: readonly Parameter[];
  /** Each given with every question whose endpoint knows it. */
  sometimes: readonly Parameter[];
}

const varieties: Readonly<Record<string, Variety>> = {
  mailgun: {
    always: [
      ['start', '1704067200'],
      ['resolution', 'month'],
      ['begin', '1704067200'],
      ['ascending', 'yes'],
      ...['delivered', 'failed', 'opened', 'clicked', 'unsubscribed', 'complained'].map(
        (event): Parameter => ['event', event],
      ),
    ],
    sometimes: [
      ...['total', 'domain', 'ip', 'provider', 'tag', 'country'].map((group): Parameter => ['group', group]),
      ['limit', '2'],
    ],
  },
  mailbaby: {
    always: [['time', 'all']],
    sometimes: [
      ['groupby', 'message'],
      ['dir', 'asc'],
      ['delivered', '0'],
      ['limit', '2'],
    ],
  },
  kaleyra: {
    always: [],
    sometimes: [
      ['search', 'OPEN'],
      ['page', '2'],
      ['limit', '2'],
      ['end_date', '2025-06-15'],
    ],
  },
  submail: {
    always: [],
    sometimes: [
      ['status', 'sending'],
      ['status', 'dropped'],
      ['rows', '2'],
    ],
  },
};

export function knownParameters({ query, body }: Endpoint): string[] {
  return [...Object.keys(query?.shape ?? {}), ...Object.keys(body?.schema.shape ?? {})];
}

export function guardedEndpoints({ dialect }: DialectDescription): Endpoint[] {
  return dialect.endpoints.filter(({ security }) => security.length > 0);
}

/** Over all of time, about what the subject owns; not yet signed. */
export function broadCall(description: DialectDescription, endpoint: Endpoint, subject: Subject): Call {
  const call = description.call(endpoint, subject);
  const known = knownParameters(endpoint);
  const { always } = varietyOf(description);
  // `event` alone may stand several times; the events endpoints would look for one that is all of them.
  const more = always.filter(
    ([name]) => known.includes(name) && (name !== 'event' ? !given(call, name) : given(call, 'event')),
  );
  return { ...call, parameters: [...call.parameters, ...more] };
}

/** All requests of a subject, signed. */
export function requestsOf(description: DialectDescription, subject: Subject): Call[] {
  const { sometimes } = varietyOf(description);
  return guardedEndpoints(description).flatMap((endpoint) => {
    const call = broadCall(description, endpoint, subject);
    const known = knownParameters(endpoint);
    const varied = sometimes
      .filter(([name]) => known.includes(name) && !given(call, name))
      .map((parameter) => ({ ...call, parameters: [...call.parameters, parameter] }));
    return [call, ...varied].map((one) => description.sign(one, subject.credentials));
  });
}

function given({ parameters }: Call, wanted: string): boolean {
  return parameters.some(([name]) => name === wanted);
}

function varietyOf({ dialect }: DialectDescription): Variety {
  return varieties[dialect.name] ?? { always: [], sometimes: [] };
}
