import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOnly, importsOf, lineAt } from './source-text.ts';

const blanked: [name: string, source: string, code: string][] = [
  ['a line comment', 'a(); // Date.now()', 'a();              '],
  ['a block comment over lines', 'a/* x\ny */b', 'a    \n    b'],
  ['a string', "f('new Date')", "f('        ')"],
  ['an escaped quote', "f('it\\'s', x)", "f('     ', x)"],
  ['a template, but not the code in it', 'f(`x ${g("y")} z`)', 'f(`  ${g(" ")}  `)'],
  ['a template with braces in its code', 'f(`${a({ b: 1 })}c`)', 'f(`${a({ b: 1 })} `)'],
  ['a regular expression with a slash in a class', 'x = /[/"]/.test(y)', 'x = /    /.test(y)'],
  ['a division, which is no regular expression', 'a / b; c / d', 'a / b; c / d'],
  ['a slash after return', 'return /"/.test(x)', 'return / /.test(x)'],
];

for (const [name, source, code] of blanked) {
  test(`codeOnly blanks ${name}`, () => {
    assert.equal(codeOnly(source), code);
  });
}

test('codeOnly keeps every offset', () => {
  const source = 'const a = `x${`y${1}`}`; // end\n/* more */ const b = "c";';
  assert.equal(codeOnly(source).length, source.length);
  assert.equal(codeOnly(source).indexOf('const b'), source.indexOf('const b'));
});

test('importsOf finds each form of import, with its line', () => {
  const source = [
    "import a, { b } from './a.ts';",
    "import type { C } from './c.ts';",
    "import 'node:fs';",
    "export { d } from './d.ts';",
    "export type * from './e.ts';",
    'import {',
    '  f,',
    "} from './f.ts';",
    "const g = await import('./g.ts');",
  ].join('\n');
  assert.deepEqual(
    importsOf(source).map(({ specifier, line }) => `${specifier}:${line}`),
    ['./a.ts:1', './c.ts:2', 'node:fs:3', './d.ts:4', './e.ts:5', './f.ts:8', './g.ts:9'],
  );
});

test('importsOf passes over comments and exports without a source', () => {
  const source = "// import a from './a.ts'\nexport const from = './b.ts';\nexport function c() {}\n";
  assert.deepEqual(importsOf(source), []);
});

test('lineAt counts from one', () => {
  assert.equal(lineAt('a\nb', 0), 1);
  assert.equal(lineAt('a\nb', 2), 2);
});
