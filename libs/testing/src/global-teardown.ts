// Run by Jest after all test files: stops PostgreSQL and NATS if any test asked for them.
import { stopOffer } from './global-setup';

export default async function globalTeardown(): Promise<void> {
  await stopOffer();
}
