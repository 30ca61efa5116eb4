export { paymentMigrations } from '../src/migrations';
export { openPaymentReplica, type PaymentPorts, type PaymentReplica } from './replica';
export { ScriptedProvider } from './scripted-provider';
