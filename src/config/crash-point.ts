/** For crash tests only: where this process shall kill itself (`src/base/crash-point.ts`). */
export const crashVariable = 'WAYBILL_CRASH_AT';

/** Null when nothing is asked for, as in every installation. */
export function crashPointWanted(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string | null {
  return environment[crashVariable] || null;
}

/** What a child process inherits. A crash test ends a child once: the one started in its place lives. */
export function environmentForChild({ mayCrash }: { mayCrash: boolean }): Record<string, string | undefined> {
  return mayCrash ? process.env : { ...process.env, [crashVariable]: '' };
}
