/** A row of the table of mutating routes: how to make a request of the route, and what its repeats may be told. */
import type { Attempt, Service } from './attempt';
import type { World } from './world';

export interface Row {
  service: Service;
  /** As the OpenAPI document has it, such as `PUT /products/{sku}`. */
  route: string;
  /** What is special about this request of the route, where there are several. */
  when?: string;
  attempt: (world: World) => Promise<Attempt>;
  /** Members of the answer that change by themselves, or count what this one request did. Not for keyed routes. */
  moving?: string[];
  /** What a repeat may be told in place of the first answer: by then its condition no longer holds. Not for keyed routes. */
  repeated?: number;
}

export const nameOf = ({ service, route, when }: Row): string =>
  `${service}: ${route}${when === undefined ? '' : `, ${when}`}`;
