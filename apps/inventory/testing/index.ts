export { inventoryMigrations } from '../src/migrations';
export { claimOfPut as claimOfReservation } from '../src/reservations/reserve-once';
export { openInventoryReplica, openWholeInventory, type WholeInventory } from './replica';
