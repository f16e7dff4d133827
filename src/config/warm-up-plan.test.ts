/** The plans that Waybill comes with grow without jumps, and a file is read whole or refused with every problem. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { readWarmUpPlan, warmUpPlanNames } from './warm-up-plan.ts';

function file(t: test.TestContext, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-plan-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'careful.toml');
  writeFileSync(path, text);
  return path;
}

for (const name of warmUpPlanNames)
  test(`the plan ${name}`, () => {
    const { plan, problems } = readWarmUpPlan(name);
    assert.deepEqual([plan.name, problems], [name, []]);
    for (const [index, { mailsPerDay }] of plan.stages.slice(1).entries()) {
      const growth = mailsPerDay / (plan.stages[index]?.mailsPerDay ?? 0);
      assert.ok(growth > 1 && growth <= 2.5, `to ${mailsPerDay}`);
    }
    const days = plan.stages.reduce((sum, stage) => sum + stage.days, 0);
    assert.equal(days, name === 'slow' ? 60 : 30);
  });

test('a file has the name of its own', (t) => {
  const path = file(t, '[[stage]]\ndays = 1\nmails_per_day = 5\n[[stage]]\ndays = 2\nmails_per_day = 7\n');
  assert.deepEqual(readWarmUpPlan(path), {
    plan: {
      name: 'careful',
      stages: [
        { days: 1, mailsPerDay: 5 },
        { days: 2, mailsPerDay: 7 },
      ],
    },
    problems: [],
  });
});

test('every problem of a file is told', (t) => {
  const texts = (text: string) =>
    readWarmUpPlan(file(t, text)).problems.map((problem) =>
      `${problem.name}: ${problem.text}`.replace(/^.*careful\.toml: /, ''),
    );
  assert.deepEqual(texts('[[stage]]\ndays = 0\nmails_per_day = 1.5\nhours = 1\n'), [
    'stage 1: hours: no member has this name; expected days, mails_per_day',
    'stage 1: days: expected a whole number from 1 to 366',
    'stage 1: mails_per_day: expected a whole number from 1 to 100000000',
  ]);
  assert.deepEqual(texts('x = 1'), [
    'x: expected tables [[stage]] and nothing else',
    'stage: expected 1 to 100 tables [[stage]]',
  ]);
  assert.deepEqual(texts('stage = [1]'), ['stage: expected 1 to 100 tables [[stage]]']);
  assert.match(readWarmUpPlan('fast').problems[0]?.text ?? '', /there is no such file/);
});
