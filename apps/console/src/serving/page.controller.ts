/** The built page: one document, and the scripts, styles and pictures that it names. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { Controller, Get, Param, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Problem } from '@shop/problem';
import type { FastifyReply } from 'fastify';
import { ConsoleSettings } from '../console-settings';

/** Nothing from outside, nothing inline, in no frame. */
export const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'";

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** Their names change with their content. */
const FOR_EVER = 'public, max-age=31536000, immutable';

@ApiExcludeController()
@Controller()
export class PageController {
  /** All of them are a few hundred kilobytes, read once. */
  private readonly files: ReadonlyMap<string, Buffer>;

  constructor({ pageDir }: ConsoleSettings) {
    this.files = filesIn(pageDir);
  }

  @Get()
  index(@Res() reply: FastifyReply): void {
    this.send('index.html', reply, 'no-cache');
  }

  @Get('favicon.svg')
  icon(@Res() reply: FastifyReply): void {
    this.send('favicon.svg', reply, 'no-cache');
  }

  @Get('assets/:name')
  asset(@Param('name') name: string, @Res() reply: FastifyReply): void {
    this.send(`assets/${name}`, reply, FOR_EVER);
  }

  private send(name: string, reply: FastifyReply, cache: string): void {
    const content = this.files.get(name);
    if (!content) throw new Problem(404, 'not_found', 'the console has no such file');
    void reply
      .headers({
        'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
        'content-security-policy': PAGE_POLICY,
        'cache-control': cache,
      })
      .send(content);
  }
}

function filesIn(folder: string): Map<string, Buffer> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    names.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length + 1).replaceAll('\\', '/'), readFileSync(path)];
    }),
  );
}
