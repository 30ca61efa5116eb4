export {
  addProblems,
  ApiProblems,
  problemResponse,
  type ProblemCodes,
  type ProblemMembers,
  type ProblemResponse,
} from './api-problems';
export { Problem, ProblemBody } from './problem';
