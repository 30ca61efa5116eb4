export { expectPolicyTable } from './policy-table';
