// Lets Node run a TypeScript file of this repository from its source: `node run-typescript.cjs <file> <arguments>`.
const Module = require('node:module');
const { join, resolve } = require('node:path');
const { transformFileSync } = require('@swc/core');

const root = join(__dirname, '..', '..', '..');
const configFile = join(root, '.swcrc');
Module._extensions['.ts'] = (module, file) =>
  module._compile(transformFileSync(file, { configFile, sourceMaps: 'inline' }).code, file);

const find = Module._resolveFilename;
Module._resolveFilename = (name, ...rest) => {
  const lib = /^@shop\/([^/]+)$/.exec(name)?.[1];
  if (!lib) return find(name, ...rest);
  return join(root, lib === 'stack' ? 'tools' : 'libs', lib, 'src', 'index.ts');
};

const [file, ...args] = process.argv.slice(2);
process.argv.splice(1, process.argv.length, file, ...args);
require(resolve(file));
