export { IsText } from './is-text';
export { type Fault, validate, type Validated, validationFailed } from './validate';
