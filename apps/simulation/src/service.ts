/** The services of a run. */
export const services = ['order', 'inventory', 'payment', 'fulfilment'] as const;
export type Service = (typeof services)[number];
