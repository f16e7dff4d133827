/** Conditions and the values bound to them. The tenant is the first of them. */
import type { Scope } from '../../../src/ledger/question.ts';

type Bound = string | number | readonly string[] | Date;

export class Where {
  readonly #conditions: string[] = [];
  readonly values: never[];

  /** Within another statement its values go on. */
  constructor({ tenantId, streamId, sendingDomain }: Scope, values: never[] = []) {
    this.values = values;
    this.and(`tenant_id = ${this.bind(tenantId)}`);
    if (streamId !== undefined) this.and(`stream_id = ${this.bind(streamId)}`);
    if (sendingDomain !== undefined) this.and(`sending_domain = ${this.bind(sendingDomain)}`);
  }

  and(condition: string): void {
    this.#conditions.push(condition);
  }

  /** The client's types know only what its tagged templates take; the server says what each place wants. */
  bind(value: Bound): string {
    this.values.push(value as never);
    return `$${this.values.length}`;
  }

  bindTime(ms: number): string {
    return `${this.bind(new Date(ms).toISOString())}::timestamptz`;
  }

  toString(): string {
    return `WHERE ${this.#conditions.join('\n  AND ')}`;
  }
}
