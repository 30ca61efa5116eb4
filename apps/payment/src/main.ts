/** The process of the payment service: charges and refunds, through a provider that may fail in every way. */
import 'reflect-metadata';
import { paymentService } from './app';

void paymentService().run();
