/** The process of the fulfilment service: what happens after an order is confirmed or cancelled. */
import 'reflect-metadata';
import { fulfilmentService } from './app';

void fulfilmentService.run();
