/** The metrics of the process of a test, as they are now: a service would give out a text that may be a second old. */
import { register } from 'prom-client';

export const metricsNow = (): Promise<string> => register.metrics();
