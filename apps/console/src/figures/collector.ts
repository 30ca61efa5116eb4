/** Looks at the metrics and the readiness of every process, every few seconds, and keeps what the last minutes were like. */
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { Logger } from '@shop/observability';
import { Repeating } from '@shop/resilience';
import { LOGGER } from '@shop/service';
import { wallClock } from '../clock';
import { ConsoleSettings } from '../console-settings';
import type { Address } from './addresses';
import { type Frame, frameOf, type Look, type Moment } from './frame';
import { isWanted, overviewOf, type Overview, type Point, pointOf } from './overview';
import { readSamples, type Sample } from './prometheus-text';

const LOOK_EVERY_MS = 2_000;
/** A process that is busy answers late; one that is longer silent counts as away. */
const ANSWER_WITHIN_MS = 1_500;
const MAX_TEXT_BYTES = 4 * 1_024 * 1_024;
/** The charts show a quarter of an hour. */
const KEPT_POINTS = 450;
/** What endings and latencies are counted over: five minutes. Frames are larger than points. */
const KEPT_FRAMES = 150;

interface Seen {
  address: Address;
  samples: Sample[] | undefined;
  moment: Moment;
}

@Injectable()
export class Collector implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly looking: Repeating;
  private readonly before = new Map<string, ReadonlyMap<string, Sample>>();
  private frames: Frame[] = [];
  private kept: Point[] = [];
  private lastLook: number | undefined;
  private readonly listeners = new Set<(overview: Overview) => void>();

  constructor(
    private readonly settings: ConsoleSettings,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.looking = new Repeating(() => this.look(), {
      everyMs: LOOK_EVERY_MS,
      onFailure: (error) => logger.warn({ reason: (error as Error).message }, 'console.look.failed'),
    });
  }

  onApplicationBootstrap(): void {
    if (this.settings.metrics.length > 0) this.looking.start();
  }

  async onModuleDestroy(): Promise<void> {
    this.listeners.clear();
    await this.looking.stop();
  }

  get points(): readonly Point[] {
    return this.kept;
  }

  overview(): Overview {
    return overviewOf(this.frames, { watched: this.settings.metrics.length > 0 });
  }

  /** Calls after each look, until the returned function is called. */
  onLook(tell: (overview: Overview) => void): () => void {
    this.listeners.add(tell);
    return () => this.listeners.delete(tell);
  }

  private async look(): Promise<void> {
    const began = performance.now();
    const seen = await Promise.all(this.settings.metrics.map(seeProcess));
    const seconds = this.lastLook === undefined ? 0 : (began - this.lastLook) / 1_000;
    this.lastLook = began;
    const frame = frameOf(this.looksAt(seen), { at: wallClock(), seconds, moments: seen.map(({ moment }) => moment) });
    for (const { address, samples } of seen) {
      // What a process that is away counts until it is seen again belongs to the frame in which it is seen again.
      if (samples) this.before.set(address.url, new Map(samples.map((sample) => [sample.key, sample])));
    }
    this.frames = [...this.frames, frame].slice(-KEPT_FRAMES);
    this.kept = [...this.kept, pointOf(this.frames)].slice(-KEPT_POINTS);
    if (this.listeners.size === 0) return;
    const overview = this.overview();
    for (const tell of [...this.listeners]) tell(overview);
  }

  private looksAt(seen: readonly Seen[]): Look[] {
    return seen.flatMap(({ address, samples }) =>
      samples ? { service: address.service, before: this.before.get(address.url), now: samples } : [],
    );
  }
}

async function seeProcess(address: Address): Promise<Seen> {
  const [text, health] = await Promise.all([
    read(`${address.url}/metrics`, [200]),
    read(`${address.url}/health/ready`, [200, 503]),
  ]);
  const moment = momentOf(address.service, health);
  return { address, samples: text === undefined ? undefined : readSamples(text, isWanted), moment };
}

function momentOf(service: string, health: string | undefined): Moment {
  const away = { service, up: false, ready: false, checks: {} };
  try {
    const { status, checks = {} } = JSON.parse(health ?? '') as { status: string; checks?: Record<string, string> };
    return { service, up: true, ready: status === 'ok', checks };
  } catch {
    return away;
  }
}

/** Undefined when it does not answer, in time, as it should. */
async function read(url: string, statuses: readonly number[]): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS), redirect: 'error' });
    if (!statuses.includes(answer.status)) return undefined;
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of answer.body ?? []) {
      size += (part as Uint8Array).length;
      if (size > MAX_TEXT_BYTES) return undefined;
      parts.push(part as Uint8Array);
    }
    return Buffer.concat(parts).toString();
  } catch {
    return undefined;
  }
}
