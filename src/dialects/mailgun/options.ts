/** Options of this dialect. */
import { type Option, OptionProblem, type RawValue } from '../../base/option.ts';

const publicUrl: Option<string> = {
  key: 'dialects.mailgun.public_url',
  default: '',
  meaning:
    'Address under which clients reach this server, without a slash at its end, for the links to further pages of events; empty: as the client wrote it, with http.',
  example: 'https://mail-api.example.com',
  parse: parsePublicUrl,
  print: String,
};

export const options: readonly Option<unknown>[] = [publicUrl];

export function publicUrlOf(settings: ReadonlyMap<string, unknown>): string {
  const value = settings.get(publicUrl.key) ?? publicUrl.default;
  return typeof value === 'string' ? value : publicUrl.default;
}

function parsePublicUrl(raw: RawValue): string {
  if (raw === '') return raw;
  const url = typeof raw === 'string' && URL.canParse(raw) ? new URL(raw) : null;
  const plain = url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '';
  if (!plain || typeof raw !== 'string')
    throw new OptionProblem('expects an http or https address such as https://mail-api.example.com');
  return raw.replace(/\/+$/, '');
}
