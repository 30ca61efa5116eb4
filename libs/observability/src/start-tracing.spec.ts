import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { typescriptProcess } from '@shop/testing';
import { wantsTraces } from './start-tracing';

const ENDPOINT = 'http://127.0.0.1:4318';

describe('R50 traces', () => {
  it.each<[boolean, NodeJS.ProcessEnv]>([
    [false, {}],
    [false, { OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
    [true, { OTEL_EXPORTER_OTLP_ENDPOINT: ENDPOINT }],
    [true, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: ENDPOINT }],
    [false, { OTEL_EXPORTER_OTLP_ENDPOINT: ENDPOINT, OTEL_SDK_DISABLED: 'true' }],
    [true, { OTEL_EXPORTER_OTLP_ENDPOINT: ENDPOINT, OTEL_SDK_DISABLED: 'false' }],
    [false, { OTEL_EXPORTER_OTLP_ENDPOINT: ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }],
    [true, { OTEL_EXPORTER_OTLP_ENDPOINT: ENDPOINT, OTEL_TRACES_EXPORTER: 'otlp' }],
  ])('R50 are made: %p, with %p', (wanted, env) => {
    expect(wantsTraces(env)).toBe(wanted);
  });
});

describe('R45 the end of a process with traces', () => {
  let silent: Server;
  let unanswered = 0;

  beforeAll(async () => {
    silent = createServer((_request, response) => {
      unanswered++;
      response.once('close', () => unanswered--);
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    silent.closeAllConnections();
    silent.close();
  });

  it('R45 does not wait for a collector that does not answer', async () => {
    const { port } = silent.address() as AddressInfo;
    const script = `
      const { startTracingIfWanted, startSpan, isTracing } = require('@shop/observability');
      void startTracingIfWanted(process.env, { service: 'test' }).then(async (tracing) => {
        startSpan('work', { parent: null }).end();
        await tracing.stop();
        process.stdout.write('stopped ' + isTracing());
        // Until the test has seen that nothing was answered.
        process.stdin.once('data', () => process.exit(0));
      });`;
    const { command, args } = typescriptProcess({ script });
    const forEver = '600000';
    const env = {
      ...process.env,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_TIMEOUT: forEver,
      OTEL_BSP_EXPORT_TIMEOUT: forEver,
    };
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    expect([said.toString(), unanswered]).toEqual(['stopped false', 1]);
    child.stdin.write('go');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
