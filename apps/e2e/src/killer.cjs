// Preloaded into a service (`node -r`): ends its process with SIGKILL at the instants that the plan names.
//
// An arm of the plan names an instant, the passes of it that kill, and a period of time. Only passes about an order or
// saga that was made in that period count: their ids are UUIDs of version 7 and begin with the time. What earlier orders
// still do in the same process is not counted. The counts are files, one byte for each pass, so they outlive the process.
// Everything here is synchronous: nothing happens between an instant and the death.
const { Buffer } = require('node:buffer');
const { subscribe } = require('node:diagnostics_channel');
const { appendFileSync, readFileSync, statSync } = require('node:fs');
const { Socket } = require('node:net');
const { basename, dirname, join } = require('node:path');
const process = require('node:process');

const folder = process.env.CRASH_FOLDER;
const service = basename(dirname(process.argv[1]));

/** The first 48 bits of a UUID of version 7 are milliseconds. */
const BORN = /\b([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;
const PUBLISHED = /H?PUB (cmd|reply|direct)\./;
const ACKNOWLEDGED = 'PUB $JS.ACK.';

subscribe('shop:instant', ({ name, about }) => {
  const arms = readPlan().filter((arm) => arm.service === service && arm.instant === name);
  if (arms.length === 0) return;
  const births = [...JSON.stringify(about).matchAll(BORN)].map(([, high, low]) => parseInt(high + low, 16));
  for (const { id, passes, since, until } of arms) {
    if (!births.some((born) => born >= since && born < (until ?? Infinity))) continue;
    const file = join(folder, id);
    appendFileSync(file, '.');
    if (passes.includes(statSync(file).size)) dieAt(name);
  }
});

function readPlan() {
  return JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8'));
}

// Published messages and acks collect in the connection's buffer and leave in one write a little later. If the process
// died at once, nothing would ever have left. So `after` is after that write, and `ack.before` is in the middle of it: the
// replies have left, the ack has not.
function dieAt(name) {
  if (name === 'publish.after') behindWrite((text) => (PUBLISHED.test(text) ? text.length : -1));
  else if (name === 'ack.after') behindWrite((text) => (text.includes(ACKNOWLEDGED) ? text.length : -1));
  else if (name === 'ack.before') behindWrite((text) => text.lastIndexOf(ACKNOWLEDGED));
  else die();
}

/** Lets the next write through up to the length that `lengthOf` gives (-1: not this write), and dies. */
function behindWrite(lengthOf) {
  const write = Socket.prototype.write;
  Socket.prototype.write = function (chunk, ...rest) {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('latin1');
    const length = lengthOf(text);
    if (length < 0) return write.call(this, chunk, ...rest);
    // A socket with an empty buffer gives the text to the kernel before it returns.
    if (length > 0) write.call(this, text.slice(0, length), 'latin1');
    die();
  };
}

function die() {
  process.kill(process.pid, 'SIGKILL');
}
