/** The payment service's own tables, beside its ledger's. */
import { CreatePayment1760000030000 } from './1760000030000-create-payment';
import { CreateRefund1760000030001 } from './1760000030001-create-refund';
import { DropPaymentShapeChecks1760000030002 } from './1760000030002-drop-payment-shape-checks';

export const paymentMigrations = [
  CreatePayment1760000030000,
  CreateRefund1760000030001,
  DropPaymentShapeChecks1760000030002,
];
