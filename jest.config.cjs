// One jest project per workspace; the ESM-only packages are transformed, wherever npm has nested them.
const { readdirSync, existsSync } = require('node:fs');
const { join } = require('node:path');

const esmOnly = [
  '@nestjs',
  '@nats-io',
  '@tokenizer',
  '@borewit',
  'file-type',
  'jose',
  'load-esm',
  'strtok3',
  'token-types',
  'uint8array-extras',
];

const project = (dir, name) => ({
  displayName: `@shop/${name}`,
  rootDir: __dirname,
  roots: [`<rootDir>/${dir}/${name}`],
  testEnvironment: 'node',
  testMatch: ['**/*.spec.ts', '**/*.e2e.ts'],
  setupFiles: ['reflect-metadata'],
  moduleNameMapper: {
    '^@shop/(stack|system|house)$': '<rootDir>/tools/$1/src/index.ts',
    '^@shop/([^/]+)/testing$': ['<rootDir>/libs/$1/testing/index.ts', '<rootDir>/apps/$1/testing/index.ts'],
    '^@shop/([^/]+)$': '<rootDir>/libs/$1/src/index.ts',
  },
  transform: { '^.+\\.[cm]?[jt]s$': '@swc/jest' },
  transformIgnorePatterns: [`node_modules/(?!(?:.*/node_modules/)?(?:${esmOnly.join('|')})(?:/|$))`],
});

const projects = ['libs', 'apps', 'tools'].flatMap((dir) =>
  readdirSync(join(__dirname, dir))
    .filter((name) => existsSync(join(__dirname, dir, name, 'package.json')))
    .map((name) => project(dir, name)),
);

module.exports = {
  projects,
  testTimeout: 60_000,
  // Only offers a stack: the first test file that asks for PostgreSQL and NATS starts it.
  globalSetup: join(__dirname, 'libs/testing/src/global-setup.ts'),
  globalTeardown: join(__dirname, 'libs/testing/src/global-teardown.ts'),
};
