/** What every ledger must do, whatever engine it runs on. */
import { after, before, suite } from 'node:test';
import type { Engine } from '../../../src/ledger/engine.ts';
import { appendCases } from './append-cases.ts';
import { bucketCases } from './bucket-cases.ts';
import { chainCases } from './chain-cases.ts';
import { erasureCases } from './erasure-cases.ts';
import { maintenanceCases } from './maintenance-cases.ts';
import { questionCases } from './question-cases.ts';
import { stateCases } from './state-cases.ts';
import { Subject } from './subject.ts';

export interface Implementation {
  name: string;
  /** Opens an engine on an empty database. */
  open(): Promise<{ engine: Engine; close(): Promise<void> }>;
}

export function ledgerCases({ name, open }: Implementation): void {
  suite(`ledger, ${name}`, () => {
    let subject: Subject;
    let close: () => Promise<void>;
    before(async () => {
      const opened = await open();
      close = opened.close;
      subject = await Subject.over(opened.engine);
    });
    after(() => close());

    const subjectOf = () => subject;
    maintenanceCases(subjectOf); // first: a rebuild takes as long as all that was appended before
    erasureCases(subjectOf);
    appendCases(subjectOf);
    stateCases(subjectOf);
    bucketCases(subjectOf);
    questionCases(subjectOf);
    chainCases(subjectOf); // last: it damages what it finds
  });
}
