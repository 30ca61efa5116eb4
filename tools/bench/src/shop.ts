/** The shop under load: a fresh system with a seeded catalogue, and its first tenant. */
import { DEVELOPMENT_KEY, startSystem, type System } from '@shop/system';
import type { Options } from './options';
import { Tenant } from './tenant';
import { Warnings } from './warnings';

export interface ShopOptions {
  options: Options;
  /** The largest number of requests at once. */
  connections: number;
  say: (sentence: string) => void;
  /** Of the services. */
  env?: Record<string, string>;
}

/** The key of the second tenant, for scenarios with two. */
const NEIGHBOUR_KEY = 'neighbour-key';
const API_KEYS = [
  `${DEVELOPMENT_KEY}=demo/developer:customer+operator+platform`,
  `${NEIGHBOUR_KEY}=neighbour/developer:customer+operator`,
].join(',');

/** The system, seen by its first tenant. */
export class Shop extends Tenant {
  private constructor(
    readonly system: System,
    private readonly shopOptions: ShopOptions,
    /** Sentences about processes that ended by themselves. */
    private readonly crashes: string[],
    /** The warnings of the services so far, by event. */
    readonly warnings: Readonly<Record<string, number>>,
  ) {
    super({ system, key: DEVELOPMENT_KEY, connections: shopOptions.connections, options: shopOptions.options });
  }

  static async open(shopOptions: ShopOptions): Promise<Shop> {
    const { options, say, env } = shopOptions;
    const crashes: string[] = [];
    const warnings = new Warnings();
    const system = await startSystem({
      ports: 'free',
      logFormat: 'json',
      output: (text, pid) => warnings.read(text, pid),
      provider: options.provider,
      env: { API_KEYS, ...env },
      nodeOptions: options.profile ? { [options.profile]: ['--cpu-prof', '--cpu-prof-dir=.'] } : {},
      onCrash: (name, how) => void crashes.push(`the ${name} service has ended (${how})`),
    });
    const shop = new Shop(system, shopOptions, crashes, warnings.counts);
    try {
      say('  seeding');
      await shop.seed();
      return shop;
    } catch (error) {
      await shop.close();
      throw error;
    }
  }

  override async close(): Promise<void> {
    await super.close();
    await this.system.stop();
  }

  /** A second tenant of the same system, with its own catalogue and connections. Close it before the shop. */
  async neighbour(): Promise<Tenant> {
    const { system } = this;
    const neighbour = new Tenant({ ...this.shopOptions, system, key: NEIGHBOUR_KEY });
    await neighbour.seed();
    return neighbour;
  }

  override async audit(): Promise<string[]> {
    return [...(await super.audit()), ...this.ended()];
  }

  /** A sentence for each process that has ended by itself. */
  ended(): string[] {
    return [...this.crashes];
  }
}
