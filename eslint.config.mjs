// Lint rules: who may import whom, and the mistakes that types alone do not catch.
import { readdirSync } from 'node:fs';
import eslint from '@eslint/js';
import nx from '@nx/eslint-plugin';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

// Who may import whom: imports only go down, from floor to floor, type imports included. Every lib and tool has its line,
// and so has an app that is not an ordinary service.
const ground = ['postgres', 'resilience', 'observability', 'problem', 'validation', 'sealing'];
const anyService = [
  'backfill',
  'service',
  'saga',
  'participant',
  'contracts',
  'bulk',
  'messaging',
  'idempotency',
  'http',
  ...ground,
];
const floors = {
  // floor 4
  sandbox: ['service', 'http', 'observability', 'problem', 'validation'],
  console: ['service', 'http', 'observability', 'problem', 'resilience', 'sealing', 'validation'],
  // floor 3
  saga: ['bulk', 'messaging', ...ground],
  participant: ['messaging', 'idempotency', ...ground],
  contracts: ['messaging'],
  service: ['bulk', 'idempotency', 'messaging', 'http', ...ground],
  // On top of it: it has the log and the database of its service.
  backfill: ['service', 'bulk', 'idempotency', 'messaging', 'http', ...ground],
  // Below them: acts on many, of any kind, have routes too.
  bulk: ['idempotency', 'http', ...ground],
  // floor 2
  messaging: ground,
  idempotency: ground,
  http: ground,
  // floor 1
  // On top of them: lanes serve their members in turn, and tell how full they are.
  postgres: ['resilience', 'observability'],
  // On top of it: calls outside are counted.
  resilience: ['observability'],
  observability: [],
  problem: [],
  sealing: [],
  // On top of it: a list of faults becomes a problem.
  validation: ['problem'],
};
// What starts and tries the services; it knows them by their addresses only.
const around = {
  e2e: ['system', 'stack', 'testing'],
  // And, by the exception below, the testing doors of the services, whose handlers it runs in one process.
  simulation: ['saga', 'participant', 'messaging', 'idempotency', ...ground, 'testing'],
  bench: ['system', 'stack', 'observability'],
  system: ['stack', 'observability'],
  testing: ['stack'],
  stack: [],
  house: [],
};

const services = readdirSync(`${import.meta.dirname}/apps`).filter((app) => !(app in floors) && !(app in around));

const row = (project, targets) => ({
  sourceTag: `scope:${project}`,
  onlyDependOnLibsWithTags: targets.map((target) => `scope:${target}`),
});
const depConstraints = [
  // For their tests only, which a row cannot say: `no-restricted-imports` below does.
  ...services.map((service) => row(service, [...anyService, 'testing', 'stack'])),
  ...Object.entries(floors).map(([project, targets]) => row(project, [...targets, 'testing', 'stack'])),
  ...Object.entries(around).map(([project, targets]) => row(project, targets)),
];

const tests = ['**/*.spec.ts', '**/*.e2e.ts', 'apps/e2e/**', 'apps/simulation/**', '**/testing/**'];
const noTestTools = {
  regex: '^@shop/(testing|[^/]+/testing)$',
  message: 'Only tests may import this: *.spec.ts files, apps/e2e, apps/simulation and testing folders.',
};
const noServers = {
  regex: '^@shop/stack$',
  message: 'A service is given the addresses of its servers; only tests and tools start servers.',
};
// A machine that sleeps, moves or sets its clock would make a wait endless, or end it at once.
const noWallClock = {
  selector: "BinaryExpression[operator='+'][left.callee.object.name='Date'][left.callee.property.name='now']",
  message: 'Time that passes is measured by performance.now(): the time of day may be set.',
};

export default defineConfig(
  { ignores: ['**/dist', '**/coverage', '.nx'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  eslint.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.recommendedTypeChecked],
    plugins: { '@nx': nx },
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
        // Nest reads the classes of constructor parameters at run time, so their imports have to stay.
        emitDecoratorMetadata: true,
        experimentalDecorators: true,
      },
    },
    rules: {
      '@nx/enforce-module-boundaries': ['error', { depConstraints }],
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
      // A method may answer a promise because its interface says so.
      '@typescript-eslint/require-await': 'off',
      // Nest and TypeORM speak of `Function`, and the objects of the tests are closures without a `this`.
      '@typescript-eslint/no-unsafe-function-type': 'off',
      '@typescript-eslint/unbound-method': 'off',
      eqeqeq: 'error',
    },
  },
  {
    files: ['**/*.{ts,tsx}'],
    ignores: [...tests, 'tools/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: [noTestTools, noServers] }] },
  },
  {
    files: ['**/*.{ts,tsx}'],
    ignores: tests,
    rules: { 'no-restricted-syntax': ['error', noWallClock] },
  },
  {
    // The one place where services meet. They are apps, which nobody may import, so their doors are named here.
    files: ['apps/simulation/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        { depConstraints, allow: services.map((service) => `@shop/${service}/testing`) },
      ],
    },
  },
  {
    // Matchers and rows of the database are `any`, and a wrong one makes a test fail.
    files: tests,
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    files: ['**/*.{cjs,mjs}'],
    languageOptions: {
      globals: { __dirname: 'readonly', console: 'readonly', fetch: 'readonly', process: 'readonly' },
    },
  },
);
