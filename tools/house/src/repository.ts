/** The repository for the house rules: its files, and the imports of each file. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { preProcessFile } from 'typescript';

export const root = join(__dirname, '..', '..', '..');

/** A TypeScript file; paths are relative to the root of the repository. */
export interface Source {
  path: string;
  text: string;
  /** As written, type imports included. */
  imports: string[];
}

const notOurs = new Set(['node_modules', 'dist', 'coverage', 'data']);

/** The folders that are packages, such as `libs/saga`. */
export function listWorkspaces(): string[] {
  const folders = ['apps', 'libs', 'tools'].flatMap((floor) =>
    readdirSync(join(root, floor)).map((name) => `${floor}/${name}`),
  );
  return folders.filter((folder) => existsSync(join(root, folder, 'package.json')));
}

/** Every file of the workspaces. */
export function listFiles(): string[] {
  return listWorkspaces().flatMap(filesBelow);
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (notOurs.has(entry.name) || entry.name.startsWith('.')) return [];
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

export function readSources(): Source[] {
  const paths = listFiles().filter((path) => /\.tsx?$/.test(path));
  return paths.map((path) => {
    const text = readText(path);
    return { path, text, imports: preProcessFile(text).importedFiles.map(({ fileName }) => fileName) };
  });
}

export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** `libs/saga` for `libs/saga/src/decide.ts`. */
export function workspaceOf(path: string): string {
  return path.split('/').slice(0, 2).join('/');
}

export function isTest(path: string): boolean {
  return /\.(spec|e2e)\.ts$/.test(path);
}

/** The file behind an import, or undefined when it is not one of ours. */
export function resolveImport(from: string, name: string, known: ReadonlySet<string>): string | undefined {
  const target = name.startsWith('.') ? posix.join(dirname(from), name) : doorOf(name, known);
  return [`${target}.ts`, `${target}.tsx`, `${target}/index.ts`].find((path) => known.has(path));
}

function doorOf(name: string, known: ReadonlySet<string>): string {
  const [, workspace, door = 'src'] = /^@shop\/([^/]+)(?:\/(.+))?$/.exec(name) ?? [];
  return (
    ['apps', 'libs', 'tools']
      .map((floor) => `${floor}/${workspace}/${door}`)
      .find((folder) => known.has(`${folder}/index.ts`)) ?? name
  );
}

/** The first import cycle, as the list of its files, or undefined. */
export function findCircle(imports: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const finished = new Set<string>();
  const way: string[] = [];
  const visit = (file: string): string[] | undefined => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (finished.has(file)) return undefined;
    way.push(file);
    for (const next of imports.get(file) ?? []) {
      const circle = visit(next);
      if (circle !== undefined) return circle;
    }
    way.pop();
    finished.add(file);
    return undefined;
  };
  for (const file of imports.keys()) {
    const circle = visit(file);
    if (circle !== undefined) return circle;
  }
  return undefined;
}
