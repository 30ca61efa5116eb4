/**
 * Whether this replica should get work: asked again and again in the background, so that it costs nothing when many ask
 * for it.
 */
import { gauge } from '@shop/observability';
import { Repeating, withTimeout } from '@shop/resilience';

export interface HealthCheck {
  name: string;
  /** It is only told: the service gets work all the same, because other replicas would have the same trouble. */
  isAdvice?: boolean;
  /** Returns why the service should get no work, in a few words for everybody; or nothing. */
  check: () => Promise<string | undefined>;
}

export interface Health {
  ready: boolean;
  /** By the name of the check: `ok`, or the reason why not. */
  checks: Readonly<Record<string, string>>;
}

const OK = 'ok';
/** From the end of one look to the next. */
const LOOK_EVERY_MS = 500;
/** A check that hangs counts as failed. */
const CHECK_TIMEOUT_MS = 3_000;

const readyNow = gauge('health_ready', '1 when this replica gets work, else 0');
const checkNow = gauge('health_check_ok', '1 when a check of the readiness is ok, else 0', ['check']);

export class Readiness {
  private health: Health = { ready: false, checks: {} };
  private leaving = false;
  private readonly listeners: ((health: Health) => void)[] = [];
  private readonly looking: Repeating;
  private looked!: () => void;
  private readonly firstLook = new Promise<void>((resolve) => (this.looked = resolve));

  constructor(private readonly checks: readonly HealthCheck[]) {
    this.looking = new Repeating(() => this.look(), { everyMs: LOOK_EVERY_MS, onFailure: () => undefined });
  }

  start(): void {
    this.looking.start();
  }

  /** The result of the last look. */
  async now(): Promise<Health> {
    if (!this.leaving) await this.firstLook;
    return this.health;
  }

  /** Calls after each look. */
  onLook(tell: (health: Health) => void): void {
    this.listeners.push(tell);
  }

  get isLeaving(): boolean {
    return this.leaving;
  }

  /** From now on it is not ready, because it is about to end. */
  leave(): void {
    this.leaving = true;
    this.tell({ ready: false, checks: { process: 'is stopping' } });
    void this.looking.stop();
  }

  private async look(): Promise<void> {
    const results = await Promise.all(this.checks.map(async (one) => [one.name, await outcomeOf(one)] as const));
    if (this.leaving) return;
    const needed = results.filter((_, index) => !this.checks[index]!.isAdvice);
    for (const [check, outcome] of results) checkNow.set({ check }, outcome === OK ? 1 : 0);
    this.tell({ ready: needed.every(([, outcome]) => outcome === OK), checks: Object.fromEntries(results) });
    this.looked();
  }

  private tell(health: Health): void {
    this.health = health;
    readyNow.set(health.ready ? 1 : 0);
    for (const tell of this.listeners) tell(health);
  }
}

function outcomeOf({ check }: HealthCheck): Promise<string> {
  const done = check().then(
    (reason) => reason ?? OK,
    () => 'failed',
  );
  return withTimeout(done, CHECK_TIMEOUT_MS, 'the check').catch(() => 'does not answer');
}
