// Tests where a nats-server is searched, and that fetching one leaves a complete file or none.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findNatsServer } from './nats-binary';
import { fetchRelease } from './nats-release';
import { type WayToFetch } from './program';

let folder: string;
const cached = `nats-server-${process.platform}-${process.arch}`;
const noPath = '/nonexistent';
const sentences: string[] = [];
const log = (sentence: string): void => void sentences.push(sentence);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nats-binary-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function writeProgram(file: string): string {
  writeFileSync(file, '#!/bin/sh\necho "nats-server: v2.9.10"\n', { mode: 0o755 });
  return file;
}

const fake: WayToFetch = { name: 'a fake', possible: true, fetch: async (to) => writeProgram(join(to, 'fetched')) };
const broken: WayToFetch = {
  name: 'a broken line',
  possible: true,
  fetch: async () => {
    throw new Error('no network');
  },
};

test('a nats-server on PATH is used unchanged', async () => {
  const file = writeProgram(join(folder, 'nats-server'));
  expect(await findNatsServer({ PATH: `${noPath}:${folder}`, XDG_CACHE_HOME: folder }, log, [broken])).toBe(file);
});

test('a fetched nats-server is found in the cache the next time', async () => {
  const env = { PATH: noPath, XDG_CACHE_HOME: folder };
  const file = await findNatsServer(env, log, [broken, fake]);
  expect(file).toBe(join(folder, 'shop', cached));
  expect(await findNatsServer(env, log, [broken])).toBe(file);
});

test('two that fetch at once both get one and leave nothing else in the cache', async () => {
  const env = { PATH: noPath, XDG_CACHE_HOME: folder };
  await Promise.all([findNatsServer(env, log, [fake]), findNatsServer(env, log, [fake])]);
  expect(readdirSync(join(folder, 'shop'))).toEqual([cached]);
});

test('a fetched program that does not run never gets into the cache', async () => {
  const text: WayToFetch = {
    name: 'an error page',
    possible: true,
    fetch: async (to) => {
      writeFileSync(join(to, 'page'), 'not found');
      return join(to, 'page');
    },
  };
  const finding = findNatsServer({ PATH: noPath, XDG_CACHE_HOME: folder }, log, [text]);
  await expect(finding).rejects.toThrow('install nats-server 2.9 or newer');
  expect(readdirSync(join(folder, 'shop'))).toEqual([]);
});

test('a cache that cannot be written is named', async () => {
  writeFileSync(join(folder, 'file'), '');
  const finding = findNatsServer({ PATH: noPath, XDG_CACHE_HOME: join(folder, 'file') }, log, [fake]);
  await expect(finding).rejects.toThrow('set XDG_CACHE_HOME to one that can');
});

test('a release with other bytes than the pinned ones is refused', async () => {
  const vendor = createServer((_request, response) => void response.end('something else'));
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}`;
  mkdirSync(join(folder, 'work'));
  await expect(fetchRelease(join(folder, 'work'), url)).rejects.toThrow('has the wrong checksum');
  expect(readdirSync(join(folder, 'work'))).toEqual([]);
  vendor.closeAllConnections();
  await new Promise((resolve) => vendor.close(resolve));
});
