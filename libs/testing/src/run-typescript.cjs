// A hook for `node --require`: the process reads TypeScript files without a build, and finds our packages in their sources.
const { existsSync } = require('node:fs');
const Module = require('node:module');
const { join } = require('node:path');
const { transformFileSync } = require('@swc/core');

const root = join(__dirname, '..', '..', '..');
const swcrc = { configFile: join(root, '.swcrc'), sourceMaps: 'inline' };

Module._extensions['.ts'] = (module, file) => module._compile(transformFileSync(file, swcrc).code, file);

// As jest.config.cjs maps them; a package that is not ours is left to Node.
const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  const [, name, door = 'src'] = /^@shop\/([^/]+)(?:\/(testing))?$/.exec(request) ?? [];
  const source = name && ['libs', 'tools'].map((floor) => join(root, floor, name, door, 'index.ts')).find(existsSync);
  return source ?? resolve.call(this, request, ...rest);
};
