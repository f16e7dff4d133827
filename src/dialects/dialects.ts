/** The list of all dialects: the one place that knows every one of them. */
import type { Dialect } from './dialect.ts';
import { kaleyra } from './kaleyra/kaleyra.ts';
import { mailbaby } from './mailbaby/mailbaby.ts';
import { mailgun } from './mailgun/mailgun.ts';
import { submail } from './submail/submail.ts';

export const dialects: readonly Dialect[] = [mailgun, mailbaby, kaleyra, submail];
