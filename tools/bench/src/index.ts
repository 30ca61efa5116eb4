export { type Options, readOptions, type ScenarioName, scenarioNames } from './options';
