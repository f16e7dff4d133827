/** Prints the Debian packages that bring the peers this machine lacks, for `.ci/run`. */
import { missingPackages } from './environment.ts';

process.stdout.write(missingPackages().join(' '));
