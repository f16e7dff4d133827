/** The ledger with the engine in this process. */
import { ledgerCases } from './cases.ts';
import { inProcess } from './in-process.ts';

ledgerCases(inProcess);
