/** The payment service's own tables, beside its ledger's. */
import { CreatePayment1760000030000 } from './1760000030000-create-payment';

export const paymentMigrations = [CreatePayment1760000030000];
