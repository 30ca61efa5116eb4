export { bodiesOf, planOf, type Release, releaseOf, SAMPLE_ID } from './release';
export { given, Scenario } from './scenario';
