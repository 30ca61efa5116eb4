/** Creates the tables of the order service, for tests of its parts. */
import { applyMigrations } from '@shop/postgres/testing';
import { orderMigrations } from '../src/migrations';

export const createOrderTables = (url: string) => applyMigrations(url, orderMigrations);
