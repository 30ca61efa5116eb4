/** A flood of orders from a process of its own, so that it does not share its event loop with what is measured. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import type { System } from '@shop/system';
import type { Options } from './options';

export interface FloodOptions {
  urls: System['urls'];
  /** The API key of the tenant. */
  key: string;
  /** `concurrency` is the number of its clients. */
  options: Options;
}

export interface Flood {
  accepted: number;
  turnedAway: number;
  /** One sentence for each odd answer. */
  faults: string[];
}

/** Returns a function that stops the flood. */
export function startFlood(options: FloodOptions): () => Promise<Flood> {
  const child = spawn(process.execPath, [join(__dirname, 'flood.js'), JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const said = text(child.stdout);
  return async () => {
    child.stdin.end();
    return JSON.parse(await said) as Flood;
  };
}
