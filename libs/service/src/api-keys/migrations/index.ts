/** What every service runs before its own migrations. */
import { CreateApiKeys1760000003000 } from './1760000003000-create-api-keys';

export const apiKeyMigrations = [CreateApiKeys1760000003000];
