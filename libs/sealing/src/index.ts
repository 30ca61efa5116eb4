export { DEVELOPMENT_DATA_KEYS, parseDataKeys, weaknessesOfDataKeys } from './data-keys';
export { Sealer, UnopenedError } from './sealer';
