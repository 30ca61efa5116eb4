// Tests each fault of the proxy against a server that echoes.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from './eventually';
import { startTcpProxy, type TcpProxy } from './tcp-proxy';

let echo: Server;
let proxy: TcpProxy;
const sockets: Socket[] = [];

beforeEach(async () => {
  echo = createServer((socket) => void socket.on('error', () => undefined).pipe(socket));
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  proxy = await startTcpProxy('127.0.0.1', (echo.address() as AddressInfo).port);
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await proxy.close();
  await new Promise((resolve) => echo.close(resolve));
});

async function client(): Promise<{ socket: Socket; received: () => string }> {
  const socket = connect(proxy.port, '127.0.0.1');
  let text = '';
  sockets.push(socket);
  socket.on('data', (chunk) => void (text += chunk.toString()));
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return { socket, received: () => text };
}

test('forwards both ways', async () => {
  const { socket, received } = await client();
  socket.write('hello');
  await eventually(() => expect(received()).toBe('hello'));
  expect(proxy.connections).toBe(1);
});

test('a cut drops every connection and refuses new ones until it is restored on the same port', async () => {
  const { socket } = await client();
  const { port } = proxy;
  const closed = once(socket, 'close');
  await proxy.cut();
  await closed;
  await expect(client()).rejects.toThrow('ECONNREFUSED');
  await proxy.restore();
  expect(proxy.port).toBe(port);
  const again = await client();
  again.socket.write('back');
  await eventually(() => expect(again.received()).toBe('back'));
});

test('a stall keeps connections, accepts new ones, and forwards only after it is over', async () => {
  const old = await client();
  old.socket.write('1');
  await eventually(() => expect(old.received()).toBe('1'));
  proxy.stall();
  const fresh = await client();
  old.socket.write('2');
  fresh.socket.write('3');
  // One cannot wait for nothing to come; this is long for a loopback.
  await sleep(100);
  expect(old.received()).toBe('1');
  expect(fresh.received()).toBe('');
  proxy.resume();
  await eventually(() => expect(old.received()).toBe('12'));
  await eventually(() => expect(fresh.received()).toBe('3'));
});

test('a muted target gets what clients send, and its answers come when the mute is over', async () => {
  const { socket, received } = await client();
  const heard = new Promise<string>((resolve) => {
    echo.on('connection', (end) => end.on('data', (chunk: Buffer) => resolve(chunk.toString())));
  });
  proxy.mute();
  const late = await client();
  late.socket.write('1');
  expect(await heard).toBe('1');
  socket.write('2');
  // One cannot wait for nothing to come; this is long for a loopback.
  await sleep(100);
  expect(late.received() + received()).toBe('');
  proxy.resume();
  await eventually(() => expect(late.received() + received()).toBe('12'));
});

test('a connection ends at one side when it ends at the other', async () => {
  const { socket } = await client();
  socket.end();
  await once(socket, 'close');
  await eventually(() => expect(proxy.connections).toBe(0));
});
