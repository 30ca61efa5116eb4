/**
 * The live API keys of the table, in memory. A request never asks the database: the keys are read in the background
 * when they have changed. So nobody can cause a query or fill the memory by sending keys that do not exist.
 */
import { type Caller, type CallerSource, cannotTell, type Credential } from '@shop/http';
import type { Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { Repeating } from '@shop/resilience';
import type { Problem } from '@shop/problem';
import type { KeyName } from './api-key';
import { noteUseOfKeys, readLiveKeys } from './api-key.repository';

/** A key that another replica has added or revoked is known here after this time. */
const READ_EVERY_MS = 2_000;
/** After this time without an answer of the database, there may be keys that are not known here. */
const TRUSTED_MS = 10_000;
const NOTE_USE_EVERY_MS = 30_000;

interface Remembered {
  name: KeyName;
  caller: Caller;
  expiresAtMs: number;
}

export class StoredKeys implements CallerSource {
  private keys = new Map<string, Remembered>();
  private readonly used = new Set<KeyName>();
  private changes = -1;
  /** The clock of the database, when it was last read, and this process's own clock at that time. */
  private clock = { nowMs: 0, at: -Infinity };
  private isAway = false;
  private reading: Promise<void> = Promise.resolve();
  private database?: Database;
  private readonly jobs: Repeating[];

  constructor(private readonly logger: Logger) {
    const onFailure = (error: unknown) => logger.warn({ reason: (error as Error).message }, 'api_keys.job.failed');
    this.jobs = [
      new Repeating(() => this.refresh(), { everyMs: READ_EVERY_MS, onFailure }),
      new Repeating(() => this.noteUse(), { everyMs: NOTE_USE_EVERY_MS, onFailure }),
    ];
  }

  /** Known keys are good while the database is away: what they ask for needs it too. */
  callerOf({ sha256 }: Credential): Caller | Problem | undefined {
    const sinceRead = performance.now() - this.clock.at;
    const key = this.keys.get(sha256);
    if (!key) return sinceRead < TRUSTED_MS ? undefined : cannotTell();
    if (this.clock.nowMs + sinceRead >= key.expiresAtMs) return undefined;
    this.used.add(key.name);
    return key.caller;
  }

  /** Resolves when the keys are known. */
  async start(database: Database): Promise<void> {
    this.database = database;
    await this.refresh();
    for (const job of this.jobs) job.start({ now: false });
  }

  async stop(): Promise<void> {
    await Promise.all(this.jobs.map((job) => job.stop()));
    await this.noteUse();
  }

  /** Reads the keys if they have changed. One reading is behind the other, so that the newest one counts. */
  refresh(): Promise<void> {
    this.reading = this.reading.then(() => this.read());
    return this.reading;
  }

  private async read(): Promise<void> {
    const at = performance.now();
    try {
      const { changes, nowMs, keys } = await readLiveKeys(this.database!, this.changes);
      this.clock = { nowMs, at };
      if (keys) this.keys = new Map(keys.map((key) => [key.sha256, rememberedOf(key)]));
      this.changes = changes;
      if (this.isAway) this.logger.info('api_keys.read.resumed');
      this.isAway = false;
    } catch (error) {
      if (!this.isAway) this.logger.warn({ reason: (error as Error).message }, 'api_keys.read.failed');
      this.isAway = true;
    }
  }

  /** Writes down which keys were used since the last time. */
  async noteUse(): Promise<void> {
    const names = [...this.used];
    this.used.clear();
    if (names.length > 0) await noteUseOfKeys(this.database!, names);
  }
}

type LiveKey = NonNullable<Awaited<ReturnType<typeof readLiveKeys>>['keys']>[number];

function rememberedOf({ tenant, id, principal, roles, expiresAtMs }: LiveKey): Remembered {
  return { name: { tenant, id }, caller: { tenant, principal, roles }, expiresAtMs: expiresAtMs ?? Infinity };
}
