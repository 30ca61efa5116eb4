export { foreignFields } from './fields';
export { instant, type InstantName } from './instant';
export { createLogger, type Logger, type LogFormat, type LogLevel, logLevels, NestLog } from './logger';
export { countedElsewhere, counter, FewValues, gauge, gaugeReadLate, histogram } from './metrics';
export { harmless, prettyStream } from './pretty';
export { printable, printableLines } from './printable';
export {
  bounded,
  currentSpan,
  inBatch,
  inTraceOf,
  isTracing,
  Span,
  type SpanOptions,
  startChild,
  startSpan,
  withoutSpan,
} from './spans';
export { startTracingIfWanted } from './start-tracing';
export { atSpan, isUnrecorded, newTraceparent, parseTraceparent, spanIdOf, traceIdOf } from './trace';
export type { Tracing } from './tracing';
