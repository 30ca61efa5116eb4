/** The services of the shop and where `npm start` has them: whatever starts or asks them reads this list. */
export const usualPorts = { sandbox: 3009, inventory: 3001, payment: 3002, fulfilment: 3003, order: 3000 } as const;

/** The web page of operators. It is started where it is asked for, and the services do not need it. */
export const consolePort = { console: 3010 } as const;

/** Places synthetic orders, where it is asked for; the services do not need it. */
export const auditorPort = { auditor: 3011 } as const;

export type ServiceName = keyof typeof usualPorts;

export const serviceNames = Object.keys(usualPorts) as ServiceName[];

/** Those with a database, a broker and API keys; the sandbox stands for the world outside. */
export const ownServices: ServiceName[] = serviceNames.filter((name) => name !== 'sandbox');
