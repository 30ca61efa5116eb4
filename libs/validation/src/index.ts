export { IsText } from './is-text';
export { type Fault } from './shape';
export { validate, type Validated, validationFailed } from './validate';
