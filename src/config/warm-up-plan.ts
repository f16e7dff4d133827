/** Reads plans for the warm-up of source addresses: those Waybill comes with (`warm-up/`), and a file of the operator. */
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { limits } from '../base/limits.ts';
import { type FileEntries, isTable, readTree } from './file.ts';
import type { ConfigProblem } from './problem.ts';

/** The words are those of `relay/warm-up.ts`. */
export interface WarmUpStage {
  days: number;
  mailsPerDay: number;
}

export interface WarmUpPlan {
  /** Of a file: its own name. */
  name: string;
  stages: WarmUpStage[];
}

export const warmUpPlanNames: readonly string[] = ['standard', 'slow'];

/** By the name of a plan that Waybill comes with, or the path of a file. Without problems the plan is sound. */
export function readWarmUpPlan(nameOrPath: string): { plan: WarmUpPlan; problems: ConfigProblem[] } {
  const isKnown = warmUpPlanNames.includes(nameOrPath);
  const path = isKnown ? fileURLToPath(new URL(`./warm-up/${nameOrPath}.toml`, import.meta.url)) : nameOrPath;
  const found: FileEntries = { entries: new Map(), problems: [] };
  const tree = readTree(path, found);
  const report = (name: string, text: string) => {
    found.problems.push({ source: 'file', name: `${path}: ${name}`, text });
  };
  const stages = tree === null ? [] : stagesIn(tree, report);
  return { plan: { name: isKnown ? nameOrPath : basename(path, '.toml'), stages }, problems: found.problems };
}

type Report = (name: string, text: string) => void;

function stagesIn(tree: object, report: Report): WarmUpStage[] {
  const { stage, ...others } = tree as Record<string, unknown>;
  for (const name of Object.keys(others)) report(name, 'expected tables [[stage]] and nothing else');
  const isList = Array.isArray(stage) && stage.length > 0 && stage.length <= limits.warmUpStages;
  if (isList && stage.every(isTable)) return stage.map((node, index) => stageIn(node, index + 1, report));
  report('stage', `expected 1 to ${limits.warmUpStages} tables [[stage]]`);
  return [];
}

function stageIn(node: object, number: number, report: Report): WarmUpStage {
  const { days, mails_per_day: mailsPerDay, ...others } = node as Record<string, unknown>;
  const whole = (name: string, value: unknown, most: number): number => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return value;
    report(`stage ${number}: ${name}`, `expected a whole number from 1 to ${most}`);
    return 1;
  };
  for (const name of Object.keys(others))
    report(`stage ${number}: ${name}`, 'no member has this name; expected days, mails_per_day');
  return {
    days: whole('days', days, limits.warmUpDays),
    mailsPerDay: whole('mails_per_day', mailsPerDay, limits.warmUpMails),
  };
}
