import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { playDialog } from './dialog.ts';

const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.smtp'));

for (const file of files) {
  test(file.slice(0, -'.smtp'.length).replaceAll('-', ' '), () =>
    playDialog(readFileSync(new URL(file, import.meta.url), 'utf8')),
  );
}
