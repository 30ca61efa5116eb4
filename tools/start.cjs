// What `npm start`, `npm run demo` and their like run: checks Node, builds what has changed, and goes on in this same
// process, so that a signal sent to npm reaches the program itself. Plain JavaScript an old Node can read.
const { spawnSync } = require('node:child_process');
const { join } = require('node:path');

const NEEDED = [20, 19];
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  console.error(
    `This needs Node ${NEEDED.join('.')} or newer, and this is ${process.versions.node}; install a newer Node.`,
  );
  process.exit(1);
}

const root = join(__dirname, '..');
const [, , program] = process.argv;
process.argv.splice(2, 1);
// Operators are in a hurry, and their commands start nothing, so these run from their sources.
if (program === 'ops' || program === 'backfill') runFromSource(`tools/system/src/${program}/main.ts`);
else runFromBuild({ start: 'system/start', demo: 'system/demo', bench: 'bench/bench' }[program]);

function runFromSource(file) {
  try {
    require(join(root, 'libs/testing/src/run-typescript.cjs'));
  } catch (error) {
    console.error(`Packages are missing (${error.message.split('\n')[0]}); run npm ci first.`);
    process.exit(1);
  }
  require(join(root, file));
}

function runFromBuild(file) {
  process.stderr.write('Building …\n');
  const nx = join(root, 'node_modules', 'nx', 'dist', 'bin', 'nx.js');
  const build = spawnSync(process.execPath, [nx, 'run-many', '-t', 'build', '--output-style=static'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NX_TUI: 'false', FORCE_COLOR: '0' },
  });
  if (build.status !== 0) {
    console.error(build.stdout, build.stderr);
    console.error('The build failed; see above. If packages are missing, run npm ci first.');
    process.exit(1);
  }
  require(join(root, 'dist', 'tools', `${file}.js`));
}
