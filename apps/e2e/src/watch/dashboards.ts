/** The dashboards of Grafana as code: is it healthy at a glance, one saga definition, one service. */
import { overview } from './overview';
import { sagaDefinition } from './saga-dashboard';
import { service } from './service-dashboard';

/** By the name of the file in `ops/grafana/dashboards`. */
export const dashboards: Record<string, object> = { overview, saga: sagaDefinition, service };
