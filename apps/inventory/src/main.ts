/** The process of the inventory service: stock, and the reservations that sagas and clients make. */
import 'reflect-metadata';
import { inventoryService } from './app';

void inventoryService.run();
