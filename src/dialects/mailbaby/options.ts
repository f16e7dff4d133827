/** What the imitated service knows from its own books and clocks, and this installation must be told. */
import { type Option, OptionProblem, type RawValue } from '../../base/option.ts';
import { isZone } from './strtotime-zones.ts';

export interface Settings {
  zone: string;
  basePrice: number;
  pricePerThousand: number;
  currency: string;
  billingDay: number;
}

const maxPrice = 1_000_000;
/** Every month has it. */
const lastBillingDay = 28;

const zone: Option<string> = {
  key: 'dialects.mailbaby.zone',
  default: 'UTC',
  meaning:
    'Time zone (IANA name) of created, of dates without a zone, and of the day, month and billing cycle.',
  example: 'America/New_York',
  parse(raw) {
    if (typeof raw === 'string' && isZone(raw)) return raw;
    throw new OptionProblem('expected the IANA name of a time zone, for example Europe/Berlin');
  },
  print: String,
};

const basePrice: Option<number> = {
  key: 'dialects.mailbaby.base_price',
  default: 1,
  meaning: `Price of a billing cycle without any mail, part of cost, 0 to ${maxPrice}.`,
  example: '1.00',
  parse: priceOf,
  print: String,
};

const pricePerThousand: Option<number> = {
  key: 'dialects.mailbaby.price_per_thousand',
  default: 0.2,
  meaning: `Price of a thousand mails of a billing cycle, part of cost, 0 to ${maxPrice}.`,
  example: '0.20',
  parse: priceOf,
  print: String,
};

const currency: Option<string> = {
  key: 'dialects.mailbaby.currency',
  default: 'USD',
  meaning: 'Currency of cost, three capital letters (ISO 4217).',
  example: 'EUR',
  parse(raw) {
    if (typeof raw === 'string' && /^[A-Z]{3}$/.test(raw)) return raw;
    throw new OptionProblem('expected three capital letters, for example EUR');
  },
  print: String,
};

const billingDay: Option<number> = {
  key: 'dialects.mailbaby.billing_day',
  default: 1,
  meaning: `Day of the month on which a billing cycle begins, 1 to ${lastBillingDay}.`,
  example: '15',
  parse(raw) {
    const day = numberOf(raw);
    if (Number.isInteger(day) && day >= 1 && day <= lastBillingDay) return day;
    throw new OptionProblem(`expected a day of the month from 1 to ${lastBillingDay}`);
  },
  print: String,
};

export const options: readonly Option<unknown>[] = [zone, basePrice, pricePerThousand, currency, billingDay];

export function readSettings(settings: ReadonlyMap<string, unknown>): Settings {
  return {
    zone: settingOf(settings, zone),
    basePrice: settingOf(settings, basePrice),
    pricePerThousand: settingOf(settings, pricePerThousand),
    currency: settingOf(settings, currency),
    billingDay: settingOf(settings, billingDay),
  };
}

/** What stands under an option's key was made by its own `parse`. */
function settingOf<T>(settings: ReadonlyMap<string, unknown>, option: Option<T>): T {
  return settings.has(option.key) ? (settings.get(option.key) as T) : option.default;
}

function priceOf(raw: RawValue): number {
  const price = numberOf(raw);
  if (price >= 0 && price <= maxPrice) return price;
  throw new OptionProblem(`expected a number from 0 to ${maxPrice}`);
}

/** NaN for what is no plain decimal number. */
function numberOf(raw: RawValue): number {
  if (typeof raw === 'number') return raw;
  return typeof raw === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(raw) ? Number(raw) : Number.NaN;
}
