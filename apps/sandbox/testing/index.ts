/** What the tests of the sandbox share. */
export { asking, counting, newCall, NOW_MS, openBooks, pageUrl, reread } from './open-books';
export { failureOf, startProvider, type TestProvider } from './provider';
