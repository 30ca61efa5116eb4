// Tests that free ports are free and all different, and that a taken port is named.
import { createServer, type AddressInfo } from 'node:net';
import { assertPortFree, freePort } from './free-port';

test('ports are different each time and below the range of outgoing connections', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()));
  expect(new Set(ports).size).toBe(20);
  for (const port of ports) expect(port).toBeLessThan(32_768);
});

test('a taken port is refused in one sentence that says what to do', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await expect(assertPortFree(port, 'NATS')).rejects.toThrow(
    `Port ${port} on 127.0.0.1, asked for NATS, is taken; stop what listens there or choose another port.`,
  );
  await new Promise((resolve) => server.close(resolve));
  await assertPortFree(port, 'NATS');
});
