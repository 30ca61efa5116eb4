/** The rules of the house that no other tool checks. Each failure says what to do. */
import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import {
  findCircle,
  isTest,
  listFiles,
  listWorkspaces,
  readSources,
  readText,
  resolveImport,
  root,
  workspaceOf,
} from './repository';

const files = listFiles();
const workspaces = listWorkspaces();
const sources = readSources();

/** A longer file probably does two things. */
const MAX_LINES = 300;
/** A test file may contain many small cases. */
const MAX_TEST_LINES = 500;
/** Nobody writes these, and nobody has to read them. */
const MADE_BY_PROGRAM = 'apps/e2e/src/clients/';

describe('files', () => {
  it('open with a sentence that says what they are for', () => {
    const silent = sources.filter(({ path, text }) => !isExempt(path) && !/^(\/\*\*|\/\/)/.test(text));
    expectNone(silent, 'Open the file with one sentence that says what it is for: /** … */.');

    function isExempt(path: string): boolean {
      return isTest(path) || path.endsWith('/index.ts');
    }
  });

  it('are short', () => {
    const long = sources.filter(
      ({ path, text }) =>
        text.split('\n').length - 1 > (isTest(path) ? MAX_TEST_LINES : MAX_LINES) && !path.startsWith(MADE_BY_PROGRAM),
    );
    expectNone(
      long,
      `Split the file by the questions its readers ask (${MAX_LINES} lines, ${MAX_TEST_LINES} in tests).`,
    );
  });

  it('have names in kebab-case', () => {
    const odd = files.filter(
      (path) => !/^([a-z0-9]+([-.][a-z0-9]+)*\/)*([a-z0-9]+([-.][a-z0-9]+)*|README\.md)$/.test(path),
    );
    expectNone(odd, 'Write the name in kebab-case, with the role as a suffix: place-order.saga.ts.');
  });

  it('have names that say what is inside', () => {
    const drawers = /^(common|shared|core|utils?|helpers?|misc|types?|interfaces?)$/;
    const vague = files.filter((path) => path.split('/').some((part) => drawers.test(part.split('.')[0]!)));
    expectNone(
      vague,
      'Put each thing with what it serves, a type with what it describes, and name the place after that.',
    );
  });

  it('contain no TODO and no FIXME', () => {
    const later = sources.filter(
      ({ path, text }) => /\b(TODO|FIXME)\b/.test(text) && path !== 'tools/house/src/tidy.spec.ts',
    );
    expectNone(later, 'Do it, or say in a sentence why it is as it is.');
  });
});

describe('time', () => {
  /** Where the clock of the process is right, and why. */
  const clocks: Record<string, string> = {
    'apps/console/src/clock.ts': 'the console has no database, and sessions end by the time of day',
    'apps/sandbox/src/stripe/books.ts': 'the provider of the sandbox is this process, and has no database',
    'libs/observability/src/spans.ts': 'the spans of all processes are put side by side by the time of day',
    'libs/idempotency/src/ledger/memory-ledger.ts': 'its rows are in the memory of this process',
  };
  const isProduct = (path: string): boolean =>
    /^(apps|libs)\/[^/]+\/src\//.test(path) && !isTest(path) && !/^(apps\/(e2e|simulation)|libs\/testing)\//.test(path);
  const readsClock = (text: string): boolean => /\bnew Date\(\s*\)|\bDate\.now\b|(?<!new )\bDate\(\s*\)/.test(text);

  it('that is kept comes from the database', () => {
    const wrong = sources.filter(({ path, text }) => isProduct(path) && readsClock(text) && !(path in clocks));
    expectNone(
      wrong,
      'Use now() in the statement, or databaseTime(tx) of @shop/postgres. For a duration use performance.now().',
    );
  });

  it('has no exception that is not needed', () => {
    const needless = Object.keys(clocks).filter(
      (path) => !sources.some((one) => one.path === path && readsClock(one.text)),
    );
    expectNone(needless, 'Take it out of the list.');
  });

  it.each([
    ['new Date()', true],
    ['Date.now()', true],
    ['clock = Date.now', true],
    ['new Date(row.at)', false],
    ['performance.now()', false],
  ])('is found: %s', (text, expected) => {
    expect(readsClock(text)).toBe(expected);
  });
});

describe('statements', () => {
  /** What stands in parentheses, with up to five more pairs inside. */
  const inside = Array.from({ length: 5 }).reduce<string>((part) => `(?:[^\`()]|\\(${part}\\))*?`, '[^`()]*');
  const subquery = new RegExp(
    `\\b(?:from|using|join|in)\\s*\\(\\s*select\\b${inside}\\blimit\\b[^\`()]*\\bfor (?:no key )?update\\b`,
  );
  const takesAnew = (text: string): boolean => subquery.test(text);

  it('take no more rows than their limit, whatever the plan', () => {
    const wrong = sources.filter(({ path, text }) => !isTest(path) && takesAnew(text));
    expectNone(
      wrong,
      'Write `with due as materialized (select … limit … for update)`: a plan may run a subquery once for each row, and each time it locks others.',
    );
  });

  it.each([
    ['update a set b = 1 from (select id from a order by id limit $1 for update skip locked) as due', true],
    ['delete from a where id in (\n select id from a where (b or c) limit 5 for update\n)', true],
    ['with due as materialized (select id from a limit $1 for update) update a set b = 1 from due', false],
    ['select id from a where b in (select c from d) limit $1 for update', false],
  ])('are found: %s', (text, expected) => {
    expect(takesAnew(text)).toBe(expected);
  });
});

describe('imports', () => {
  it('import another workspace only through its door', () => {
    const deep = sources.flatMap(({ path, imports }) =>
      imports.filter((name) => /^@shop\/[^/]+\/(?!testing$)/.test(name)).map((name) => `${path} imports ${name}`),
    );
    expectNone(deep, "Import from '@shop/<name>' or '@shop/<name>/testing', and have the door export what is missing.");
  });

  it('do not leave their workspace by a relative path', () => {
    // Jest loads these two before it can find our packages.
    const hooks = ['libs/testing/src/global-setup.ts', 'libs/testing/src/global-teardown.ts'];
    const strays = sources.flatMap(({ path, imports }) =>
      imports
        .filter((name) => name.startsWith('.') && !posix.join(path, '..', name).startsWith(`${workspaceOf(path)}/`))
        .map((name) => `${path} imports ${name}`),
    );
    expectNone(
      strays.filter((stray) => !hooks.some((hook) => stray.startsWith(hook))),
      "Import the other workspace by its name: '@shop/<name>'.",
    );
  });

  it('never form a cycle, type imports included', () => {
    const known = new Set(sources.map(({ path }) => path));
    const graph = new Map(
      sources.map(({ path, imports }) => [
        path,
        imports.map((name) => resolveImport(path, name, known)).filter((target) => target !== undefined),
      ]),
    );
    const circle = findCircle(graph);
    expectNone(circle ? [circle.join('\n    → ')] : [], 'Move what both files need to a third one, below them.');
  });

  it('are followed from door to door', () => {
    const known = new Set(['libs/a/src/index.ts', 'libs/b/src/x.ts', 'libs/b/src/y/index.ts']);
    expect(resolveImport('libs/b/src/x.ts', '@shop/a', known)).toBe('libs/a/src/index.ts');
    expect(resolveImport('libs/b/src/x.ts', './y', known)).toBe('libs/b/src/y/index.ts');
    expect(resolveImport('libs/b/src/y/index.ts', '../x', known)).toBe('libs/b/src/x.ts');
    expect(resolveImport('libs/b/src/x.ts', 'pg', known)).toBeUndefined();
    expect(
      findCircle(
        new Map([
          ['a', ['b']],
          ['b', ['c', 'd']],
          ['c', []],
          ['d', ['b']],
        ]),
      ),
    ).toEqual(['b', 'd', 'b']);
    expect(
      findCircle(
        new Map([
          ['a', ['b', 'c']],
          ['b', ['c']],
          ['c', []],
        ]),
      ),
    ).toBeUndefined();
  });
});

describe('workspaces', () => {
  it('are named and tagged after their folder', () => {
    const wrong = workspaces.filter((folder) => {
      const name = folder.split('/')[1];
      const manifest = manifestOf(`${folder}/package.json`);
      return manifest.name !== `@shop/${name}` || !manifest.nx?.tags?.includes(`scope:${name}`);
    });
    expectNone(wrong, 'Name it "@shop/<folder>" and tag it "scope:<folder>", and give it a row in eslint.config.mjs.');
  });

  it('leave versions to the package.json at the root', () => {
    const own = workspaces.filter((folder) => {
      const manifest = manifestOf(`${folder}/package.json`);
      return manifest.dependencies ?? manifest.devDependencies ?? manifest.peerDependencies;
    });
    expectNone(own, 'Move the dependencies to the package.json at the root: one version of each for the whole house.');
  });

  it('have a README', () => {
    const silent = workspaces.filter(
      (folder) => !folder.startsWith('apps/') && !existsSync(join(root, folder, 'README.md')),
    );
    expectNone(silent, 'Write a README.md: what it is, what it guarantees, an example, what it does not do.');
  });

  it('subscribe in one place', () => {
    const subscribing = sources.filter(
      ({ path, text }) =>
        /^(libs|apps)\//.test(path) &&
        !isTest(path) &&
        !/\/testing\/|^apps\/e2e\//.test(path) &&
        path !== 'libs/messaging/src/broker.ts' &&
        /\bnats\.subscribe\(|\bconnection\.subscribe\(/.test(text),
    );
    expectNone(subscribing, 'Use `subscribe` of Broker: a callback that throws stops the client of NATS for good.');
  });

  it('read the environment in one place', () => {
    const reading = sources.filter(
      ({ path, text }) =>
        path.startsWith('libs/') &&
        !isTest(path) &&
        text.includes('process.env') &&
        path !== 'libs/service/src/run-service.ts' &&
        // Programs of tests get their variables from the test.
        !path.includes('/testing/'),
    );
    expectNone(reading, 'Take the value as an option; the environment.ts of each app reads it.');
  });
});

describe('ports', () => {
  it('are the same wherever they are named', () => {
    const missing = sources.flatMap(({ path, text }) => {
      const [, app] = /^apps\/([^/]+)\/src\/environment\.ts$/.exec(path) ?? [];
      const [, variable, port] = /\b([A-Z]+_PORT) = (\d+)/.exec(text) ?? [];
      const places: Record<string, string> = {
        'tools/system/src/services.ts': `${app}: ${port}`,
        'docker-compose.yml': `\${${variable}:-${port}}:${port}`,
        'docs/configuration.md': `\`${variable}\``,
      };
      const lacking = Object.entries(places).filter(([place, line]) => !readText(place).includes(line));
      return app ? lacking.map(([place, line]) => `${place} has no ${line}`) : [];
    });
    expectNone(missing, 'Write the usual port of the app there; CONTRIBUTING.md lists what else a new service needs.');
  });
});

describe('packages', () => {
  it('have one exact version each', () => {
    const { dependencies, devDependencies } = manifestOf('package.json');
    const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(([, version]) => !/^\d/.test(version));
    expectNone(
      loose.map(([name, version]) => `${name} ${version}`),
      'Write the exact version.',
    );
  });

  it('name no registry in the lock file', () => {
    const lines = readText('package-lock.json').split('\n');
    const bound = lines.filter((line) => /"resolved": "https?:/.test(line));
    expectNone(bound, 'Run `npm install --omit-lockfile-registry-resolved`: the lock file must not name a registry.');
  });
});

interface Manifest {
  name?: string;
  nx?: { tags?: string[] };
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

function manifestOf(path: string): Manifest {
  return JSON.parse(readText(path)) as Manifest;
}

function expectNone(found: (string | { path: string })[], cure: string): void {
  const names = found.map((one) => (typeof one === 'string' ? one : one.path));
  if (names.length > 0) throw new Error(`${cure}\n  ${names.join('\n  ')}`);
}
