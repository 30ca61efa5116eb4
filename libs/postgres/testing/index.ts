export { InterruptedDatabase } from './interrupted-database';
