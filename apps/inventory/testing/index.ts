export { inventoryMigrations } from '../src/migrations';
export { CommandsController as InventoryCommands } from '../src/reservations/commands.controller';
