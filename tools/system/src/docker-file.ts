/** The files that docker-compose gives to its servers; ours get the same. */
import { readFileSync } from 'node:fs';
import { join, sep } from 'node:path';

/** Whether this file runs from its source (in tests) or from the build. */
const HERE = __dirname.split(sep);
const ROOT = HERE.slice(0, HERE.lastIndexOf('tools')).filter((part, at, all) => part !== 'dist' || at < all.length - 1);

export const readDockerFile = (name: string): string => readFileSync(join(ROOT.join(sep), 'docker', name), 'utf8');
