/** The API key of development: known to everybody, so only for services that listen on this machine alone. */
export const DEVELOPMENT_KEY = 'dev-key';
