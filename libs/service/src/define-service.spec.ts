import 'reflect-metadata';
import { defineService, Port, PostgresUrl, ServiceEnvironment } from './index';

class CraneEnvironment extends ServiceEnvironment {
  @Port() CRANE_PORT = 3007;
  @PostgresUrl() CRANE_DATABASE_URL: string;
}
class NamelessEnvironment extends ServiceEnvironment {
  @Port() PORT = 3007;
}

describe('defineService', () => {
  const own = { title: 'Crane service', description: 'What is lifted.', migrations: [] };

  it('takes an environment whose variables carry the name of the service, and the compiler refuses any other', () => {
    const service = defineService({ ...own, name: 'crane', environment: CraneEnvironment });
    expect(service.definition.name).toBe('crane');
    // @ts-expect-error There is no CRANE_PORT.
    defineService({ ...own, name: 'crane', environment: NamelessEnvironment });
    // @ts-expect-error The variables are those of another service.
    defineService({ ...own, name: 'ship', environment: CraneEnvironment });
  });
});
