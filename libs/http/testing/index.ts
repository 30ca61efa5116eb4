export { callersOf } from './callers-of';
export { expectProblem } from './expect-problem';
export { metricsNow } from './metrics';
export { type Answer, type Call, type Method, TestClient } from './test-client';
