/** What the HTTP client of Stripe's SDK has to be kept from. */
import { noteStatus, traceHeaders } from '@shop/resilience';
import Stripe from 'stripe';

/**
 * When a connection is closed, the SDK sends the request once more by itself after half a second, even with its retries
 * off. Only one place should decide when to ask again. So the SDK does not get to see this kind of failure.
 *
 * An answer that is JSON and no object makes the SDK throw where nobody can catch it. So it is a failure here.
 */
export function carefully(client: Stripe.HttpClient): Stripe.HttpClient {
  return {
    getClientName: () => client.getClientName(),
    makeRequest: async (host, port, path, method, headers, ...rest) => {
      try {
        const trace = traceHeaders({ method, url: { hostname: host, port, protocol: rest[1] } });
        const response = await client.makeRequest(host, port, path, method, { ...headers, ...trace }, ...rest);
        noteStatus(response.getStatusCode());
        return withObjects(response);
      } catch (cause) {
        const { code = '' } = cause as NodeJS.ErrnoException;
        const closed = Stripe.HttpClient.CONNECTION_CLOSED_ERROR_CODES.includes(code);
        throw closed ? new Error('the connection was closed', { cause }) : cause;
      }
    },
  };
}

function withObjects<Response extends { toJSON: () => Promise<unknown> }>(response: Response): Response {
  const read = response.toJSON.bind(response);
  response.toJSON = async () => {
    const body = await read();
    if (typeof body !== 'object' || body === null) throw new Error('the answer is JSON and no object');
    return body;
  };
  return response;
}
