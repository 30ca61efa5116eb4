/** Every service that takes messages runs these migrations before its own. */
import { CreateDeadLetters1760000002000 } from './1760000002000-create-dead-letters';

export const messagingMigrations = [CreateDeadLetters1760000002000];
