import { type Option, OptionProblem } from '../../base/option.ts';

const maxPrice = 1_000_000;

const price: Option<number> = {
  key: 'dialects.kaleyra.price',
  default: 0,
  meaning: `Shown as sale_price of a delivered mail, in the currency of your choice, 0 to ${maxPrice}; other mail shows 0.`,
  example: '0.002',
  parse(raw) {
    const value = typeof raw === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(raw) ? Number(raw) : raw;
    if (typeof value === 'number' && value >= 0 && value <= maxPrice) return value;
    throw new OptionProblem(`expected a number from 0 to ${maxPrice}`);
  },
  print: String,
};

export const options: readonly Option<unknown>[] = [price];

export interface Settings {
  price: number;
}

/** What stands under an option's key was made by its own `parse`. */
export function readSettings(settings: ReadonlyMap<string, unknown>): Settings {
  return { price: settings.has(price.key) ? (settings.get(price.key) as number) : price.default };
}
