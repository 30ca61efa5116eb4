// Runs a program in TypeScript as a process of its own, from the sources, without a build.
import { join } from 'node:path';

/** Reads the sources without a build. */
const HOOK = join(__dirname, 'run-typescript.cjs');

/** What `startProcess` needs to run this file, or this script. */
export function typescriptProcess(program: string | { script: string }): { command: string; args: string[] } {
  const what = typeof program === 'string' ? [program] : ['--eval', program.script];
  return { command: process.execPath, args: ['--enable-source-maps', '--require', HOOK, ...what] };
}
