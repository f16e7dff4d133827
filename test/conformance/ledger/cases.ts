/** What every ledger must do, whatever engine it runs on. */
import { after, before, suite } from 'node:test';
import type { Engine } from '../../../src/ledger/engine.ts';
import { appendCases } from './append-cases.ts';
import { bucketCases } from './bucket-cases.ts';
import { amendmentCases, chainCases } from './chain-cases.ts';
import { erasureCases } from './erasure-cases.ts';
import { maintenanceCases, rebuildCases, refusalCases } from './maintenance-cases.ts';
import { questionCases } from './question-cases.ts';
import { stateCases } from './state-cases.ts';
import { Subject, type SubjectOf } from './subject.ts';

export interface Implementation {
  name: string;
  /** Opens an engine on an empty database. */
  open(): Promise<{ engine: Engine; close(): Promise<void> }>;
}

export function ledgerCases(implementation: Implementation): void {
  group(`ledger, ${implementation.name}`, implementation, [
    appendCases,
    stateCases,
    bucketCases,
    questionCases,
    refusalCases,
  ]);
}

/** A ledger of its own for each group: what the upkeep does takes as long as all that the others have appended. */
export function upkeepCases(implementation: Implementation): void {
  const { name } = implementation;
  group(`the upkeep of the ledger, ${name}`, implementation, [maintenanceCases]);
  group(`erasure from the ledger, ${name}`, implementation, [erasureCases]);
  group(`the chain of the ledger, ${name}`, implementation, [chainCases]);
}

/** Every kind of statement that the upkeep makes. */
export function upkeepStatementCases(implementation: Implementation): void {
  group(`the upkeep's statements, ${implementation.name}`, implementation, [rebuildCases, amendmentCases]);
}

function group(title: string, { open }: Implementation, groups: readonly ((of: SubjectOf) => void)[]): void {
  suite(title, () => {
    let subject: Subject;
    let close: () => Promise<void>;
    before(async () => {
      const opened = await open();
      close = opened.close;
      subject = await Subject.over(opened.engine);
    });
    after(() => close());
    for (const cases of groups) cases(() => subject);
  });
}
