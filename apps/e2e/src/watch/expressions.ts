/** The expressions of Prometheus that the dashboards repeat. */

/** The services of the shop. */
export const OWN = 'job=~"order|inventory|payment|fulfilment"';
const WINDOW = '[$__rate_interval]';
export const quantile = (q: number, histogram: string, by: string, where = ''): string =>
  `histogram_quantile(${q}, sum by (${['le', by].filter(Boolean).join(', ')}) (rate(${histogram}_bucket${where}${WINDOW})))`;
export const rate = (metric: string, by: string, where = ''): string =>
  `sum by (${by}) (rate(${metric}${where}${WINDOW}))`;
