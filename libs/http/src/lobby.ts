/**
 * Who is let in: how many connections, how many requests on each at the same time, and how long a client may take to say
 * what it wants, and to take its answer. It looks at nothing but the sockets, so that strangers cost next to nothing.
 */
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import { counter } from '@shop/observability';

/** As many as may wait to be accepted. Each costs some kilobytes while it says nothing. */
const MAX_CONNECTIONS = 4_096;
/** Clients that send the next request before the last answer send a few. A thousand of them are an attack. */
const MAX_REQUESTS_AT_ONCE = 16;
/** That of Node. It is written here so that no option of a command line changes it. The address is a part of it. */
const MAX_HEADER_BYTES = 16 * 1_024;
/** Headers are small, and most bodies come with them. The largest body takes 8 KB a second in this time. */
const HEADERS_WITHIN_MS = 5_000;
const REQUEST_WITHIN_MS = 8_000;
const LOOK_FOR_SLOW_MS = 1_000;
/** Load balancers keep their connections for about a minute. */
const KEEP_IDLE_MS = 72_000;
/** Longer than any request of ours is silent. */
const SILENCE_MS = 65_000;
/** A client that takes nothing of its answer for so long will not take the rest. */
const UNREAD_MS = 10_000;
/** Nor does one that takes a few bytes now and then. The network keeps what is left of most answers. */
const TAKEN_WITHIN_MS = 30_000;

const refused = counter('http_connections_refused_total', 'Connections that were closed to keep others served', [
  'reason',
]);

/** How long a client may take to read an answer. After that the answer is dropped, with its connection. */
export interface Patience {
  /** Without a byte. */
  unreadMs: number;
  /** From the first byte to the last, of an answer that is complete. */
  takenWithinMs: number;
}

export function createLobby(
  serve: RequestListener,
  options: ServerOptions = {},
  { unreadMs = UNREAD_MS, takenWithinMs = TAKEN_WITHIN_MS }: Partial<Patience> = {},
): Server {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_WITHIN_MS,
      requestTimeout: REQUEST_WITHIN_MS,
      connectionsCheckingInterval: LOOK_FOR_SLOW_MS,
      keepAliveTimeout: KEEP_IDLE_MS,
      ...options,
    },
    admit(serve, { unreadMs, takenWithinMs }),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(SILENCE_MS);
  server.on('drop', () => {
    refused.inc({ reason: 'crowded' });
    // Those who ask nothing make room for the next ones.
    server.closeIdleConnections();
  });
  return server;
}

interface Connection {
  /** Requests that are not answered to the end. */
  open: number;
  /** Of these, the ones whose answer is complete and waits for the client to take it. */
  untaken: number;
  late?: NodeJS.Timeout;
}

/** Hands on the requests of clients that are still there, a few at once from each connection. */
function admit(serve: RequestListener, { unreadMs, takenWithinMs }: Patience): RequestListener {
  const connections = new WeakMap<Socket, Connection>();
  const connect = (socket: Socket): Connection => {
    const connection: Connection = { open: 0, untaken: 0 };
    connections.set(socket, connection);
    // The timer would keep what a client has sent that has left.
    socket.once('close', () => clearTimeout(connection.late));
    return connection;
  };
  return (request, response) => {
    const { socket } = request;
    // Node has read many requests at once, and goes on with them although the client has left.
    if (socket.destroyed) return;
    const connection = connections.get(socket) ?? connect(socket);
    if (connection.open === MAX_REQUESTS_AT_ONCE) {
      refused.inc({ reason: 'too-many-requests' });
      stopParsing(socket);
      return void socket.destroy();
    }
    connection.open++;
    const hangUpLater = () => setTimeout(() => socket.destroy(), takenWithinMs).unref();
    response.once('prefinish', () => {
      if (socket.destroyed) return;
      socket.setTimeout(unreadMs);
      connection.untaken++;
      connection.late ??= hangUpLater();
    });
    response.once('finish', () => {
      connection.open--;
      connection.untaken--;
      clearTimeout(connection.late);
      connection.late = connection.untaken > 0 ? hangUpLater() : undefined;
      if (socket.timeout === unreadMs) socket.setTimeout(SILENCE_MS);
    });
    if (connection.open === 1) return serve(request, response);
    // Behind all requests that came in the same piece: where there are too many of them, none of these is served.
    process.nextTick(() => {
      if (!socket.destroyed) serve(request, response);
    });
  };
}

/**
 * Node goes on to parse all that has come in one piece: hundreds of requests, which cost six times as much as all else
 * about such a client. The parser stops behind a request for which it is told 2, as for an upgrade. This is not a
 * documented way; where it is closed, clients are refused as well, and only cost more.
 */
function stopParsing(socket: Socket): void {
  const { parser } = socket as Socket & { parser?: { onIncoming: () => number } | null };
  if (parser) parser.onIncoming = () => 2;
}
