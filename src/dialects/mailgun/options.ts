/** This dialect has nothing to choose: what it answers follows from the events alone. */
import type { Option } from '../../base/option.ts';

export const options: readonly Option<unknown>[] = [];
