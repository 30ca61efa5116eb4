/** What a service that takes messages, and one that publishes events, runs before its own migrations. */
import { CreateDeadLetters1760000002000 } from './1760000002000-create-dead-letters';
import { CreateOutbox1760000002100 } from './1760000002100-create-outbox';

export const messagingMigrations = [CreateDeadLetters1760000002000];
export const outboxMigrations = [CreateOutbox1760000002100];
