/** The variables of the order service. */
import { Port, PostgresUrl, ServiceEnvironment } from '@shop/service';

export class OrderEnvironment extends ServiceEnvironment {
  @Port() ORDER_PORT = 3000;
  @PostgresUrl() ORDER_DATABASE_URL: string;
}
