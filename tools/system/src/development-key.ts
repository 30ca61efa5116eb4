/** The API key of development: known to everybody, so only for services that listen on this machine alone. */
export const DEVELOPMENT_KEY = 'dev-key';

/** Signs the events of the sandbox. No service starts with it in production. */
export const DEVELOPMENT_WEBHOOK_SECRET = 'whsec_development';
