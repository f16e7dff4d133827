/**
 * One option of the configuration, said once: file, environment, help and reference page derive from it.
 * Dialects bring their own options in this shape, so that `config` need not know them.
 */

/** What a TOML file or an environment variable can hold. */
export type RawValue = string | number | boolean | readonly RawValue[];

export interface Option<T> {
  /** Dotted name in `waybill.toml`, lower snake case: `smtp.listen`. The environment name derives from it. */
  key: string;
  default: T;
  /** One sentence for people, with unit and range. */
  meaning: string;
  /** Text as it may stand in the environment. */
  example: string;
  /** Returns the value, or throws an `OptionProblem` that says what is expected. */
  parse(raw: RawValue): T;
  /** The text form of a value, as it may stand in the environment. */
  print(value: T): string;
}

export class OptionProblem extends Error {
  override name = 'OptionProblem';
}

/** `smtp.listen` → `WAYBILL_SMTP_LISTEN`. */
export function environmentName(key: string): string {
  return `WAYBILL_${key.replaceAll('.', '_').toUpperCase()}`;
}
