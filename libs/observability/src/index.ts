export { instant, type InstantName } from './instant';
export { createLogger, type Logger, type LogFormat, type LogLevel, logLevels, NestLog } from './logger';
export { countedElsewhere, counter, gauge, histogram } from './metrics';
export { newTraceparent, traceIdOf } from './trace';
