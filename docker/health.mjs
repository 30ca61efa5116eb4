/** Asks the app of this container whether its process turns; exits 1 when it does not answer. */
const { ok } = await fetch(`http://127.0.0.1:${process.env.MANAGEMENT_PORT}/health/live`);
process.exit(ok ? 0 : 1);
