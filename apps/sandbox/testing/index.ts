/** What the tests of the sandbox share. */
export { asking, counting, newCall, NOW_MS, openBooks, pageUrl, reread } from './open-books';
export { type Merchant, SECRET, startMerchant } from './merchant';
export { failureOf, startProvider, type TestProvider } from './provider';
