/** The whole system on this machine: PostgreSQL, NATS, and every service as a process of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  freePort,
  type Guard,
  isPortFree,
  natsLogin,
  type Stack,
  StackError,
  startGuard,
  startStack,
} from '@shop/stack';
import { type BusLogin, type BusUsers, createBusUsers } from './bus-users';
import { type ConsoleSurroundings, createConsole, LogFolder } from './console-process';
import { createDatabaseRoles, type DatabaseRoles } from './database-roles';
import { DEVELOPMENT_KEY } from './development-key';
import { ServiceProcess } from './service-process';
import { urlOf, variablesOfEach, withKeysOfNeighbours } from './service-variables';
import { consolePort, ownServices, type ServiceName, serviceNames, usualPorts } from './services';

export interface SystemOptions {
  /** The usual ports where they are free, or free ones only. */
  ports: 'usual' | 'free';
  output: 'inherit' | ((text: string, pid: number) => void);
  logFormat: 'json' | 'pretty';
  logLevel?: string;
  /** `sandbox` speaks to the sandbox through the provider's SDK; `simulated` answers inside the payment service. */
  provider?: 'sandbox' | 'simulated';
  /** Gets one sentence for each thing that is done. */
  say?: (sentence: string) => void;
  onCrash?: (name: ServiceName | 'console', how: string) => void;
  /** More variables for the services. */
  env?: Record<string, string>;
  /** Starts the console too. */
  console?: boolean;
  /** Options for Node itself, by service. */
  nodeOptions?: Partial<Record<ServiceName, string[]>>;
}

export interface System {
  /** Its addresses are those of the administrator of PostgreSQL and of the operator of NATS. */
  stack: Stack;
  /** How a service comes into its database. */
  databaseRoles(name: ServiceName): DatabaseRoles;
  /** What a service shows to the broker. */
  busLogin(name: ServiceName): BusLogin;
  /** The first process of each service. */
  services: Record<ServiceName, ServiceProcess>;
  urls: Record<ServiceName, string>;
  /** The web page of operators, if it was asked for. */
  console?: ServiceProcess;
  /** Every process of every service, with the added replicas. */
  processes: readonly ServiceProcess[];
  /**
   * Starts one more process of a service, on a free port, on the same databases and NATS; `stop` stops it too. `env` has
   * the variables in which it differs.
   */
  addReplica(name: ServiceName, env?: Record<string, string>): Promise<ServiceProcess>;
  stop(): Promise<void>;
}

const DEVELOPMENT_KEYS = `${DEVELOPMENT_KEY}=demo/developer:customer+operator+admin+platform`;

export async function startSystem(options: SystemOptions): Promise<System> {
  const say = options.say ?? (() => undefined);
  // First, so that a taken port is reported before anything has started.
  const ports = await choosePorts(options.ports, say);
  const consoleAt = options.console ? await choosePort('console', options.ports, say) : undefined;
  const logs = options.console ? new LogFolder() : undefined;
  say('Starting PostgreSQL and NATS …');
  const busUsers = createBusUsers();
  const stack = await startStack({ databases: ownServices, log: say, natsAccess: busUsers.access });
  const roles = await rolesOrStop(stack);
  const guard = startGuard();
  // The provider remembers its charges, also when its process is killed.
  const sandboxFolder = mkdtempSync(join(tmpdir(), 'shop-sandbox-'));
  guard.remove(sandboxFolder);
  if (logs) guard.remove(logs.path);
  const sandboxFile = join(sandboxFolder, 'books.jsonl');
  const create = createServicesWith(options, {
    stack,
    busUsers,
    roles,
    guard,
    sandboxFile,
    ports,
    smtpPort: await freePort(),
    logs,
  });
  const managementPorts = await freePorts();
  const services = mapNames((name) => create(name, { port: ports[name], managementPort: managementPorts[name] }));
  const consoleProcess =
    consoleAt === undefined
      ? undefined
      : createConsole({
          ...options,
          port: consoleAt,
          managementPort: await freePort(),
          urls: mapNames((name) => services[name].url),
          managementUrls: mapNames((name) => services[name].managementUrl),
          env: { LOG_LEVEL: 'warn', LOG_FORMAT: options.logFormat, ...options.env },
          logFolder: logs!.path,
          guard,
          onCrash: (how) => options.onCrash?.('console', how),
        } satisfies ConsoleSurroundings);
  const processes = Object.values(services);
  const addReplica = async (name: ServiceName, env?: Record<string, string>) => {
    const replica = create(name, { port: await freePort(), managementPort: await freePort() }, env);
    processes.push(replica);
    await replica.start();
    return replica;
  };
  const stop = async () => {
    await consoleProcess?.stop();
    // The gateway first, so that no request comes while the other services stop.
    for (const name of [...serviceNames].reverse()) {
      await Promise.all(processes.filter((process) => process.name === name).map((process) => process.stop()));
    }
    await stack.stop();
    rmSync(sandboxFolder, { recursive: true, force: true });
    logs?.remove();
    await guard.close();
  };
  try {
    say('Migrating the databases and starting the services …');
    const all = [...Object.values(services), ...(consoleProcess ? [consoleProcess] : [])];
    await Promise.all(all.map((one) => one.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  const urls = mapNames((name) => services[name].url);
  const databaseRoles = (name: ServiceName) => roles.get(name)!;
  return {
    stack,
    databaseRoles,
    busLogin: busUsers.loginOf,
    services,
    urls,
    console: consoleProcess,
    processes,
    addReplica,
    stop,
  };
}

async function rolesOrStop(stack: Stack): Promise<Map<ServiceName, DatabaseRoles>> {
  const roles = new Map<ServiceName, DatabaseRoles>();
  try {
    // One after the other, because roles belong to the whole server.
    for (const name of ownServices) roles.set(name, await createDatabaseRoles(stack.databaseUrl(name), name));
    return roles;
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

interface Surroundings {
  stack: Stack;
  busUsers: BusUsers;
  roles: Map<ServiceName, DatabaseRoles>;
  guard: Guard;
  sandboxFile: string;
  /** Those of the first process of each service. */
  ports: Record<ServiceName, number>;
  /** Where the sandbox takes mails. */
  smtpPort: number;
  /** What keeps the log of the services for the console. */
  logs?: LogFolder;
}

interface Ports {
  port: number;
  managementPort: number;
}

/** Returns a function that makes a process of a service for its ports; nothing runs before its `start`. */
function createServicesWith(
  options: SystemOptions,
  { stack, busUsers, roles, guard, sandboxFile, ports, smtpPort, logs }: Surroundings,
): (name: ServiceName, ports: Ports, env?: Record<string, string>) => ServiceProcess {
  const common: Record<string, string> = {
    NATS_URL: stack.natsUrl,
    API_KEYS: process.env['API_KEYS'] ?? DEVELOPMENT_KEYS,
    LOG_LEVEL: options.logLevel ?? process.env['LOG_LEVEL'] ?? 'info',
    LOG_FORMAT: options.logFormat,
    // Nobody sends requests by way of a load balancer here.
    STOP_GRACE_MS: '0',
    ...(process.stdout.isTTY && process.env['NO_COLOR'] === undefined ? {} : { NO_COLOR: '1' }),
    ...tracingVariables(process.env),
    ...options.env,
  };
  const own = variablesOfEach({ provider: options.provider ?? 'sandbox', ports, sandboxFile, smtpPort });
  const database = (name: ServiceName): Record<string, string> => {
    const { everyday, migrator } = roles.get(name) ?? {};
    return {
      ...(everyday === undefined ? {} : { [`${name.toUpperCase()}_DATABASE_URL`]: everyday }),
      ...(migrator === undefined ? {} : { [`${name.toUpperCase()}_MIGRATION_DATABASE_URL`]: migrator }),
    };
  };
  // A broker that is given has users of its own, and its address may name one.
  const isGiven = process.env['NATS_URL'] !== undefined && process.env['NATS_URL'] !== '';
  const login = (name: ServiceName): Record<string, string> => {
    if (isGiven || !ownServices.includes(name)) return {};
    const { user, password } = busUsers.loginOf(name);
    return { NATS_URL: natsLogin(stack.natsUrl).servers, NATS_USER: user, NATS_PASSWORD: password };
  };
  return (name, { port, managementPort }, more = {}) => {
    const env: Record<string, string> = {
      ...common,
      ...login(name),
      ...database(name),
      ...own[name],
      ...more,
      [portVariable(name)]: String(port),
      MANAGEMENT_PORT: String(managementPort),
    };
    return new ServiceProcess({
      name,
      url: urlOf(port),
      managementUrl: urlOf(managementPort),
      guard,
      output: keptIn(logs, name, options.output),
      onCrash: (how) => options.onCrash?.(name, how),
      nodeOptions: options.nodeOptions?.[name],
      env: withKeysOfNeighbours(name, env),
    });
  };
}

function keptIn(
  logs: LogFolder | undefined,
  name: ServiceName,
  output: SystemOptions['output'],
): SystemOptions['output'] {
  if (!logs || output === 'inherit') return output;
  return (text, pid) => {
    logs.write(name, text);
    output(text, pid);
  };
}

const portVariable = (name: ServiceName | 'console'): string => `${name.toUpperCase()}_PORT`;

async function choosePorts(
  wish: 'usual' | 'free',
  say: (sentence: string) => void,
): Promise<Record<ServiceName, number>> {
  const chosen = {} as Record<ServiceName, number>;
  for (const name of serviceNames) chosen[name] = await choosePort(name, wish, say);
  return chosen;
}

/** Nobody knows them by heart, so they need not be the usual ones. */
async function freePorts(): Promise<Record<ServiceName, number>> {
  const chosen = {} as Record<ServiceName, number>;
  for (const name of serviceNames) chosen[name] = await freePort();
  return chosen;
}

async function choosePort(
  name: ServiceName | 'console',
  wish: 'usual' | 'free',
  say: (sentence: string) => void,
): Promise<number> {
  const variable = portVariable(name);
  const given = process.env[variable];
  if (given) {
    const port = Number(given);
    if (await isPortFree(port)) return port;
    throw new StackError(`Port ${given} for ${name} is taken or no port; set ${variable} to a free one.`);
  }
  if (wish === 'free') return freePort();
  const usual = { ...usualPorts, ...consolePort }[name];
  if (await isPortFree(usual)) return usual;
  const port = await freePort();
  say(`Port ${usual} is taken, so ${name} listens on ${port} (set ${variable} to choose).`);
  return port;
}

function mapNames<T>(value: (name: ServiceName) => T): Record<ServiceName, T> {
  return Object.fromEntries(serviceNames.map((name) => [name, value(name)])) as Record<ServiceName, T>;
}

/** Where traces go, and which ones. The name of each service is its own. */
function tracingVariables(env: NodeJS.ProcessEnv): Record<string, string> {
  const given = Object.entries(env).filter(([name]) => name.startsWith('OTEL_') && name !== 'OTEL_SERVICE_NAME');
  return Object.fromEntries(given) as Record<string, string>;
}
