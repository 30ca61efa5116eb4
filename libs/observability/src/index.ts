export { foreignFields } from './fields';
export { instant, type InstantName } from './instant';
export { createLogger, type Logger, type LogFormat, type LogLevel, logLevels, NestLog } from './logger';
export { countedElsewhere, counter, gauge, histogram } from './metrics';
export { printable, printableLines } from './printable';
export { newTraceparent, traceIdOf } from './trace';
