/** Conditions and the values bound to them, collected together so that neither can be forgotten. */
import type { BoundValue, BoundValues } from '../engine.ts';
import type { Scope } from '../question.ts';
import type { Range } from './looks.ts';

/** Conditions, and their values, beside those of a question. */
export interface Also {
  also: readonly string[];
  values: BoundValues;
}

/** A question that asks for less than its conditions would. */
export interface Bounded extends Also {
  where: Where;
}

/** A time bound under this name, in UTC milliseconds. */
export const boundTime = (name: string) => `fromUnixTimestamp64Milli({${name}:Int64}, 'UTC')`;

export const nothingElse: Also = { also: [], values: {} };

export class Where {
  readonly tenantId: number;
  readonly values: Record<string, BoundValue> = {};
  /** On facts that all versions of a row share: may be applied before versions are folded. */
  readonly #fixed: string[] = [];
  /** On facts that change with the state: only right for the version that remains. */
  readonly #changing: string[] = [];
  /** The mail that all rows must belong to. */
  mailId: number | null = null;
  /** Times that all rows lie within. */
  range: Range = {};
  /** Conditions on single forward-paths of a mail have been made. */
  ofForwardPaths = false;
  /** Few rows hold, and an index finds them: all of them are read sooner than some are looked for. */
  rare = false;

  /** Nothing is asked without a tenant: it is the first condition of every question. */
  constructor(tenantId: number) {
    this.tenantId = tenantId;
    this.fixed(`tenant_id = ${this.bind('tenantId', 'UInt64', tenantId)}`);
  }

  /** Returns the placeholder for a value: `{name:Type}`. */
  bind(name: string, type: string, value: BoundValue): string {
    const taken = Object.hasOwn(this.values, name);
    const unique = taken ? `${name}_${Object.keys(this.values).length}` : name;
    this.values[unique] = value;
    return `{${unique}:${type}}`;
  }

  fixed(condition: string): void {
    this.#fixed.push(condition);
  }

  changing(condition: string): void {
    this.#changing.push(condition);
  }

  /** All versions of a row hold or none does, so folding them is not needed to know which rows match. */
  get allFixed(): boolean {
    return this.#changing.length === 0;
  }

  /** Of each mail all rows match or none does. */
  get ofWholeMails(): boolean {
    return this.allFixed && !this.ofForwardPaths;
  }

  /** For a table that is read with FINAL. `also`: conditions on facts that all versions share. */
  ofVersions(also: readonly string[] = []): string {
    const changing = this.#changing.length === 0 ? '' : `\nWHERE ${this.#changing.join('\n  AND ')}`;
    return `PREWHERE ${[...this.#fixed, ...also].join('\n  AND ')}${changing}`;
  }

  /** For a table whose rows have no versions, or where those do not matter. */
  ofRows(also: readonly string[] = []): string {
    return `WHERE ${[...this.#fixed, ...this.#changing, ...also].join('\n  AND ')}`;
  }

  toString(): string {
    return this.ofRows();
  }
}

export function isOfMail(where: Where): where is Where & { mailId: number } {
  return where.mailId !== null;
}

export function inScope({ tenantId, streamId, sendingDomain }: Scope): Where {
  const where = new Where(tenantId);
  if (streamId !== undefined) where.fixed(`stream_id = ${where.bind('streamId', 'UInt64', streamId)}`);
  if (sendingDomain !== undefined) {
    where.fixed(`sending_domain = ${where.bind('sendingDomain', 'String', sendingDomain)}`);
  }
  return where;
}
