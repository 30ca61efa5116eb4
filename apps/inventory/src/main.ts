/** The inventory service: stock, and the reservations that sagas and clients make of it. */
import 'reflect-metadata';
import { inventoryService } from './app';

void inventoryService.run();
