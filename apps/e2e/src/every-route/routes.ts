/** The mutating routes of a running service, as its OpenAPI document has them. */
import { ownServices, type System } from '@shop/system';

export type Strategy = 'atomic' | 'leased' | 'natural' | 'none';

const READING = ['get', 'head', 'options', 'trace'];

interface Document {
  paths: Record<string, Record<string, { 'x-idempotency'?: { strategy: Strategy } }>>;
}

/** By service and route, such as `order: PUT /products/{sku}`: how the route is made safe to repeat. */
export async function mutatingRoutes(urls: System['urls']): Promise<Map<string, Strategy>> {
  const found = new Map<string, Strategy>();
  for (const service of ownServices) {
    const { paths } = (await (await fetch(`${urls[service]}/openapi.json`)).json()) as Document;
    for (const [path, operations] of Object.entries(paths)) {
      for (const [method, operation] of Object.entries(operations)) {
        if (READING.includes(method)) continue;
        found.set(`${service}: ${method.toUpperCase()} ${path}`, operation['x-idempotency']!.strategy);
      }
    }
  }
  return found;
}
