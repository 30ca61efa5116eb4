/** `npm start`: the whole system, seeded, with its log in the terminal, until Ctrl-C. */
import { printableLines } from '@shop/observability';
import { StackError } from '@shop/stack';
import { ApiClient } from './api-client';
import { DEVELOPMENT_KEY } from './development-key';
import { stopInOrder } from './orderly-stop';
import { seed, seedOffers } from './seed';
import { type ServiceName, serviceNames } from './services';
import { startSystem, type System } from './system';
import { terminalLog } from './terminal-log';

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
      // The console reads what the services log, and people read it here.
      output: terminalLog(process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined),
      logFormat: 'json',
      console: true,
      say,
      onCrash: (name, how) => {
        // If it does not even start, the start itself reports that.
        if (stopping || !system) return;
        say(`The ${name} service has ended (${how}); starting it again.`);
        setTimeout(() => void (stopping || restart(system!, name)), RESTART_PAUSE_MS);
      },
    });
    if (stopping) return void (await system.stop());
    const clients = [system.urls.order, system.urls.inventory].map((url) => new ApiClient(url, DEVELOPMENT_KEY));
    const [order, inventory] = clients as [ApiClient, ApiClient];
    await seed(order, inventory);
    await seedOffers(order, inventory);
    say(welcome(system, performance.now() - began));
  } catch (error) {
    say(error instanceof StackError ? error.message : (error as Error).stack!);
    await stop(1);
  }
}

async function restart({ services, console }: System, name: ServiceName | 'console'): Promise<void> {
  try {
    await (name === 'console' ? console : services[name])?.start();
  } catch (error) {
    say((error as Error).message);
  }
}

function welcome({ urls, services, stack, console }: System, tookMs: number): string {
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

and read its page, with its id: curl -s ${urls.order}/orders/ID/view -H 'Authorization: Bearer ${DEVELOPMENT_KEY}'

Watch it in a browser: ${console?.url}   (sign in with the key ${DEVELOPMENT_KEY})

${listed.join('\n')}
  PostgreSQL ${stack.databaseUrl('order')}
  NATS       ${stack.natsUrl}

Try "sku":"unicorn" (sold out) and "source":"tok_declined" too. Ctrl-C ends everything.
`;
}
