/** The payment service's own tables, beside its ledger's. */
import { CreatePayment1760000030000 } from './1760000030000-create-payment';
import { CreateRefund1760000030001 } from './1760000030001-create-refund';

export const paymentMigrations = [CreatePayment1760000030000, CreateRefund1760000030001];
