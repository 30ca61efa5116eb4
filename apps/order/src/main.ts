/** The process of the order service: the gateway that clients call, and the orchestrator of the sagas. */
import 'reflect-metadata';
import { orderService } from './app';

void orderService.run();
