export { given, Scenario } from './scenario';
