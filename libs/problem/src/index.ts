export { IsText } from './is-text';
export { Problem, type ProblemBody } from './problem';
export { type Fault, validate, type Validated, validationFailed } from './validate';
