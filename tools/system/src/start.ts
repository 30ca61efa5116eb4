/** `npm start`: the whole system, seeded, with its log in the terminal, until Ctrl-C. */
import { printableLines } from '@shop/observability';
import { StackError } from '@shop/stack';
import { ApiClient } from './api-client';
import { DEVELOPMENT_KEY } from './development-key';
import { stopInOrder } from './orderly-stop';
import { seed } from './seed';
import { type ServiceName, serviceNames } from './services';
import { startSystem, type System } from './system';

/** A pause, so that a service that cannot run does not start many times a second. */
const RESTART_PAUSE_MS = 1_000;

/** Not only our own words: what a service said before it ended, for example. */
const say = (text: string): void => void process.stderr.write(`${printableLines(text)}\n`);

void main();

async function main(): Promise<void> {
  const began = performance.now();
  let system: System | undefined;
  let stopping = false;
  const stop = async (code: number) => {
    if (stopping) return;
    stopping = true;
    say('\nStopping …');
    await system?.stop();
    process.exit(code);
  };
  // Before the start, so that Ctrl-C during the start also leaves nothing running.
  stopInOrder(() => void stop(0));
  try {
    system = await startSystem({
      ports: 'usual',
      output: 'inherit',
      logFormat: 'pretty',
      say,
      onCrash: (name, how) => {
        // If it does not even start, the start itself reports that.
        if (stopping || !system) return;
        say(`The ${name} service has ended (${how}); starting it again.`);
        setTimeout(() => void (stopping || restart(system!, name)), RESTART_PAUSE_MS);
      },
    });
    if (stopping) return void (await system.stop());
    await seed(
      new ApiClient(system.urls.order, DEVELOPMENT_KEY),
      new ApiClient(system.urls.inventory, DEVELOPMENT_KEY),
    );
    say(welcome(system, performance.now() - began));
  } catch (error) {
    say(error instanceof StackError ? error.message : (error as Error).stack!);
    await stop(1);
  }
}

async function restart({ services }: System, name: ServiceName): Promise<void> {
  try {
    await services[name].start();
  } catch (error) {
    say((error as Error).message);
  }
}

function welcome({ urls, services, stack }: System, tookMs: number): string {
  const listed = [...serviceNames]
    .reverse()
    .map(
      (name) =>
        `  ${name.padEnd(10)} ${urls[name]}/docs  (process ${services[name].pid}, ${services[name].managementUrl}/metrics)`,
    );
  return `
Ready after ${(tookMs / 1_000).toFixed(1)} s. Place an order:

  curl -s ${urls.order}/orders -H 'Authorization: Bearer ${DEVELOPMENT_KEY}' -H "Idempotency-Key: $(date +%s%N)" \\
    -H 'Content-Type: application/json' \\
    -d '{"customerId":"alice","items":[{"sku":"cup","quantity":2}],"payment":{"source":"tok_ok"}}'

${listed.join('\n')}
  PostgreSQL ${stack.databaseUrl('order')}
  NATS       ${stack.natsUrl}

Try "sku":"unicorn" (sold out) and "source":"tok_declined" too. Ctrl-C ends everything.
`;
}
