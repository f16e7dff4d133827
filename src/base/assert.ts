/** A broken assumption of ours: a fault in the program, never something a peer can cause. */
export class AssertionFault extends Error {
  override name = 'AssertionFault';
}

export function assert(condition: unknown, assumption: string): asserts condition {
  if (!condition) throw new AssertionFault(`assumption broken: ${assumption}`);
}

/** Ends a `switch` over a union: adding a member makes every such switch a compile error. */
export function unreachable(value: never): never {
  throw new AssertionFault(`unreachable value: ${String(value)}`);
}
