/** Signatures checked by two other implementations, and mail to sign that leaves out nothing odd. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fc from 'fast-check';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import type { DkimRecord } from '../../src/protocol/dkim/record.ts';

/** What a verifier says of each signature: `ed25519-sha256 acme.test pass`, sorted. */
export type Verdicts = string[];

export async function mailauthVerdicts(content: Buffer, records: readonly DkimRecord[]): Promise<Verdicts> {
  const { results } = await dkimVerify(content, {
    resolver: (wanted: string) => {
      const record = records.find(({ name }) => name === wanted);
      return record
        ? Promise.resolve([[record.text]])
        : Promise.reject(Object.assign(new Error('none'), { code: 'ENOTFOUND' }));
    },
  });
  return results
    .map(({ algo, status, signingDomain }) => `${algo} ${signingDomain} ${status.result}`)
    .toSorted();
}

/** Debian's own interpreter: only that one has the package. */
const python = '/usr/bin/python3';

const program = `
import base64, json, sys, dkim
asked = json.load(sys.stdin)
records = {name.encode() + b'.': text.encode() for name, text in asked['records']}
def verdict(content, index):
    d = dkim.DKIM(content)
    try:
        good = d.verify(idx=index, dnsfunc=lambda name, timeout=5: records.get(name))
    except dkim.DKIMException as fault:
        good = False
    fields = d.signature_fields
    return '%s %s %s' % (fields.get(b'a', b'?').decode(), fields.get(b'd', b'?').decode(), 'pass' if good else 'fail')
answers = []
for one in asked['contents']:
    content = base64.b64decode(one)
    count = sum(1 for name, value in dkim.DKIM(content).headers if name.lower() == b'dkim-signature')
    answers.append(sorted(verdict(content, index) for index in range(count)))
json.dump(answers, sys.stdout)
`;

/** By python3-dkim; needs the peer `dkimverify`. */
export async function dkimpyVerdicts(
  contents: readonly Buffer[],
  records: readonly DkimRecord[],
): Promise<Verdicts[]> {
  const question = {
    contents: contents.map((content) => content.toString('base64')),
    records: records.map(({ name, text }) => [name, text]),
  };
  const answer = await new Promise<string>((resolve, reject) => {
    const child = execFile(python, ['-c', program], { maxBuffer: 2 ** 26 }, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
    assert.ok(child.stdin);
    child.stdin.end(JSON.stringify(question));
  });
  return JSON.parse(answer) as Verdicts[];
}

const spaces = fc.stringMatching(/^[ \t]{0,3}$/);
const nothing = fc.constant('');
const words = ['a', 'b.c', '"q;r"', '=?utf-8?Q?x?=', 'é', '\u00a0', ':', '<a@acme.test>', 'b=', ';'];
const separators = [' ', '\t', '  ', '\r\n ', ' \r\n\t'];
const names = [
  ...['From', 'To', 'CC', 'subject', 'Date', 'Message-Id', 'Reply-To', 'MIME-Version', 'Content-Type'],
  ...['X-Other', 'List-Unsubscribe', 'Received', 'DKIM-Signature-X', 'References'],
];

const fieldValue = fc
  .array(fc.tuple(fc.constantFrom(...separators), fc.constantFrom(...words)), { maxLength: 6 })
  .map((parts) => parts.flat().join(''));

const fieldOf = (spacesBeforeColon: typeof spaces) =>
  fc
    .tuple(fc.constantFrom(...names), spacesBeforeColon, fieldValue, spaces)
    .map(([name, before, text, after]) => `${name}${before}:${text}${after}\r\n`);

const line = fc
  .array(fc.constantFrom('a', 'word', ' ', '\t', '.', 'é', '='), { maxLength: 12 })
  .map((parts) => `${parts.join('')}\r\n`);

/** Lines end in CRLF; the last one, and the empty line before the body, may be missing. */
const contentOf = (field: fc.Arbitrary<string>) =>
  fc
    .tuple(
      // A mail with two From fields is refused, so nobody signs it.
      fc
        .array(field, { maxLength: 12 })
        .filter((fields) => fields.filter((one) => one.startsWith('From')).length <= 1),
      fc.constantFrom('\r\n', '\r\n', '\r\n', ''),
      fc.array(line, { maxLength: 12 }),
      fc.constantFrom('', 'end', 'end '),
    )
    .map(([fields, separator, lines, end]) => `${fields.join('')}${separator}${lines.join('')}${end}`);

export const anyContent = contentOf(fieldOf(spaces));

/** Without white space before colons (RFC 5322 §4.5.3): python3-dkim refuses to read it. */
export const currentContent = contentOf(fieldOf(nothing));
