export { paymentMigrations } from '../src/migrations';
export { openPaymentReplica, type PaymentPorts } from './replica';
export { ScriptedProvider } from './scripted-provider';
