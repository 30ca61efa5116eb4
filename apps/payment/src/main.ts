/** The payment service: charges and refunds, through a provider that may fail in every way. */
import 'reflect-metadata';
import { runService } from '@shop/service';
import { buildPaymentApp } from './app';
import { PaymentEnvironment } from './environment';

void runService({
  name: 'payment',
  environment: PaymentEnvironment,
  port: 'PAYMENT_PORT',
  build: buildPaymentApp,
});
