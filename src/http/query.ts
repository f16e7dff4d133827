/** Parameters of a request as text. Repeated names keep all their values, in order. */

/** Without a prototype: a parameter named `__proto__` is a parameter like any other. */
export type Fields = Readonly<Record<string, readonly string[]>>;

/** The parameters behind the first `?` of a URL. */
export function queryOf(url: string): Fields {
  const start = url.indexOf('?');
  const fragment = url.indexOf('#');
  if (start === -1) return emptyFields();
  return fieldsOf(new URLSearchParams(url.slice(start + 1, fragment === -1 ? undefined : fragment)));
}

export function fieldsOf(pairs: Iterable<readonly [string, string]>): Fields {
  const fields: Record<string, string[]> = emptyFields();
  for (const [name, value] of pairs) {
    const values = fields[name];
    if (values) values.push(value);
    else fields[name] = [value];
  }
  return fields;
}

/** The last value wins, as it does for the languages whose APIs we speak; undefined when absent. */
export function lastValue(fields: Fields, name: string): string | undefined {
  return fields[name]?.at(-1);
}

export function emptyFields(): Record<string, string[]> {
  return Object.create(null);
}
