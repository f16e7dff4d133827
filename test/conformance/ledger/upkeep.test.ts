/** The upkeep of the ledger with the engine in this process. */
import { upkeepCases } from './cases.ts';
import { inProcess } from './in-process.ts';

upkeepCases(inProcess);
