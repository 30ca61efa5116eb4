/** The order service: the gateway that clients call, and the orchestrator of the sagas. */
import 'reflect-metadata';
import { runService } from '@shop/service';
import { buildOrderApp } from './app';
import { OrderEnvironment } from './environment';

void runService({
  name: 'order',
  environment: OrderEnvironment,
  port: 'ORDER_PORT',
  build: buildOrderApp,
});
