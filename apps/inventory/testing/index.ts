export { inventoryMigrations } from '../src/migrations';
export { openInventoryReplica } from './replica';
