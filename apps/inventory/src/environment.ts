/** The variables of the inventory service. */
import { Port, PostgresUrl, ServiceEnvironment } from '@shop/service';

export class InventoryEnvironment extends ServiceEnvironment {
  @Port() INVENTORY_PORT = 3001;
  @PostgresUrl() INVENTORY_DATABASE_URL: string;
}
