/** Asks the app of this container whether its process turns; exits 1 when it does not answer. */
const usualPorts = { order: 3000, inventory: 3001, payment: 3002, sandbox: 3009 };
const { APP } = process.env;

const port = process.env[`${APP.toUpperCase()}_PORT`] || usualPorts[APP];
const { ok } = await fetch(`http://127.0.0.1:${port}/health/live`);
process.exit(ok ? 0 : 1);
