/** The services of the shop and where `npm start` has them: whatever starts or asks them reads this list. */
export const usualPorts = { sandbox: 3009, inventory: 3001, payment: 3002, order: 3000 } as const;

export type ServiceName = keyof typeof usualPorts;

export const serviceNames = Object.keys(usualPorts) as ServiceName[];

/** Those with a database, a broker and API keys; the sandbox stands for the world outside. */
export const ownServices: ServiceName[] = serviceNames.filter((name) => name !== 'sandbox');
