/**
 * Requests that are not quite HTTP, or ask for what no route here does, are refused before any route is asked. Each gets
 * one answer, a problem, and its connection is closed, because nobody knows where a next request on it would begin.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Problem } from '@shop/problem';
import type { FastifyInstance } from 'fastify';
import { announcesBody, frameworkProblem, sendProblem } from './problem.filter';

/** Statuses for requests that the HTTP parser refuses. */
const PARSER_ERRORS: Record<string, number> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 };
const VERSIONS = ['1.0', '1.1'];
/** What no host has. It would begin another part of an address. */
const NO_HOST = /[\s/?#@\\]/;
const ABSOLUTE_FORM = /^https?:\/\/[^/?#]*/i;

/** The newest answer of each connection: finished, or still being made. */
type Answers = WeakMap<Socket, ServerResponse>;

/** To be called before other hooks are added. */
export function refuseOddRequests(fastify: FastifyInstance, answers: Answers): void {
  const { server } = fastify;
  const note = ({ socket }: IncomingMessage, response: ServerResponse) => void answers.set(socket, response);
  server.prependListener('request', note);
  // Without these listeners, Node answers without a body, or not at all.
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    note(request, response);
    const { headers, text } = lastAnswer(frameworkProblem(417));
    response.writeHead(417, headers).end(text);
  });
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => undefined);
    answer(socket, frameworkProblem(501));
  });
  fastify.addHook('onRequest', ({ raw }, reply, done) => {
    const problem = faultOf(raw);
    if (!problem) return done();
    void reply.header('connection', 'close');
    sendProblem(reply, problem);
  });
}

/** What is wrong with the frame of a request: its version, its host, or how its body is sent. */
export function faultOf(request: Pick<IncomingMessage, 'httpVersion' | 'headers' | 'rawHeaders'>): Problem | undefined {
  const { httpVersion, headers, rawHeaders } = request;
  if (!VERSIONS.includes(httpVersion)) return frameworkProblem(505);
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1') || NO_HOST.test(headers.host ?? '')) {
    return frameworkProblem(400, 'send one Host header, with a name and perhaps a port');
  }
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    return frameworkProblem(501, 'the only transfer coding that is read is chunked');
  }
  const encoding = headers['content-encoding'] || 'identity';
  if (announcesBody(headers) && encoding.toLowerCase() !== 'identity') {
    return frameworkProblem(415, 'send the body as it is, without a Content-Encoding');
  }
  return undefined;
}

/** A client may name the host in the address too, as it does for a proxy. Routes have only the path (RFC 9112, 3.2.2). */
export function pathOf(address: string): string {
  const path = address.startsWith('/') ? address : address.replace(ABSOLUTE_FORM, '');
  return path === '' || path.startsWith('?') ? `/${path}` : path;
}

/** For bytes that the parser refuses. They are answered on the socket itself, because there is no request, and no reply. */
export function refuseUnreadable(answers: Answers, error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const status = PARSER_ERRORS[error.code ?? ''] ?? 400;
  const problem = frameworkProblem(status, status === 400 ? 'this is not HTTP' : undefined);
  const last = answers.get(socket);
  if (!last || (last.req.complete && last.writableFinished)) return answer(socket, problem);
  // What cannot be read follows a request that is still being served. Its answer comes first.
  if (last.req.complete) return void last.once('finish', () => answer(socket, problem));
  // It belongs to a request that was answered before its end. A second answer would count for the next request.
  if (last.writableEnded) return socket.destroySoon();
  if (last.headersSent) return void socket.destroy();
  answer(socket, problem);
}

function answer(socket: Socket, problem: Problem): void {
  if (!socket.writable) return void socket.destroy();
  const status = problem.getStatus();
  const { headers, text } = lastAnswer(problem);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines];
  // Further bytes from it cannot be understood.
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`, () => socket.destroy());
}

/** Where there is no reply of the framework. */
function lastAnswer({ body }: Problem): { headers: Record<string, string>; text: string } {
  const text = JSON.stringify(body);
  const length = `${Buffer.byteLength(text)}`;
  return {
    headers: { 'content-type': 'application/problem+json', 'content-length': length, connection: 'close' },
    text,
  };
}
