/** What is wrong with the configuration, for the operator. */
export interface ConfigProblem {
  source: 'file' | 'environment';
  /** Key in the file, name in the environment, or the path of the file itself. */
  name: string;
  /** What is expected. Never repeats a value, which may be a secret. */
  text: string;
}

/** `environment WAYBILL_SMTP_LISTEN: expected …` */
export function describeProblem({ source, name, text }: ConfigProblem): string {
  return `${source} ${name}: ${text}`;
}
