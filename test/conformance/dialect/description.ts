/** What the shared cases must know of a dialect; each dialect has one file of this shape beside this one. */
import type { InstallationKey } from '../../../src/base/secret.ts';
import type { Dialect } from '../../../src/dialects/dialect.ts';
import type { Endpoint } from '../../../src/http/endpoint.ts';

/** A tenant with mail. */
export interface Subject {
  /** As the dialect issued them. */
  credentials: Readonly<Record<string, string>>;
  streamId: number;
  sendingDomain: string;
  /** One of its mails, with at least one forward-path. */
  mailId: number;
  key: InstallationKey;
}

export type Parameter = readonly [name: string, value: string];

export interface Call {
  endpoint: Endpoint;
  /** Values of the path's parameters, by name. */
  path: Readonly<Record<string, string>>;
  /** In the query of a GET, as a form in the body of a POST. */
  parameters: readonly Parameter[];
  headers: Readonly<Record<string, string>>;
}

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
}

export interface DialectDescription {
  dialect: Dialect;
  /** Settings under which equal questions get equal answers at any time. */
  settings?: Readonly<Record<string, unknown>>;
  /** A call of the endpoint that has an answer, about what the subject owns; not yet signed. */
  call(endpoint: Endpoint, subject: Subject): Call;
  /** Adds the credentials. */
  sign(call: Call, credentials: Subject['credentials']): Call;
  /** Credentials that look right and open nothing. */
  wrongCredentials(subject: Subject): readonly Subject['credentials'][];
  /** Throws unless the reply is a result, as this API gives it. */
  assertAnswers(reply: Reply): void;
  /** Throws unless the reply says in the words of this API that it cannot be asked like this. */
  assertRefuses(reply: Reply): void;
  /** Own credentials, and in the call something that only the other has; not yet signed. */
  foreignCalls(subject: Subject, other: Subject): readonly Call[];
  /** Throws unless the reply gives away nothing of the other: refused, not found, or an empty result. */
  assertForeign(reply: Reply): void;
}
