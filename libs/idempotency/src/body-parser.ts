/** Placeholder until the strict reader stands. */
import type { FastifyInstance } from 'fastify';
export function readBodiesStrictly(_: FastifyInstance): void {}
