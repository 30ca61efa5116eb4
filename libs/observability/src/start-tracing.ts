/** Decides whether there are traces. Without them OpenTelemetry's SDK is not even loaded. */
import type { Tracing, TracingOptions } from './tracing';

/** @param env the standard variables of OpenTelemetry */
export async function startTracingIfWanted(
  env: NodeJS.ProcessEnv,
  options: TracingOptions,
): Promise<Tracing | undefined> {
  if (!wantsTraces(env)) return undefined;
  const { startTracing } = await import('./tracing');
  return startTracing(env, options);
}

export function wantsTraces(env: NodeJS.ProcessEnv): boolean {
  const { OTEL_SDK_DISABLED: disabled, OTEL_TRACES_EXPORTER: exporter } = env;
  const to = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  return Boolean(to) && disabled?.toLowerCase() !== 'true' && exporter !== 'none';
}
