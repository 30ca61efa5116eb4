// Where the PostgreSQL and NATS of this Jest run are; the first request starts them.
import { get } from 'node:http';

export interface TestStackUrls {
  /** Of a user who may create databases. */
  adminUrl: string;
  natsUrl: string;
}

/** Throws when the stack cannot be had, so that a suite that needs it fails. */
export async function testStack(): Promise<TestStackUrls> {
  const offer = process.env.SHOP_TEST_STACK;
  if (!offer) throw new Error('No test stack is offered; run the tests through the jest.config.cjs of the repository.');
  const urls = JSON.parse(await ask(offer)) as TestStackUrls;
  // For the programs that a test starts.
  process.env.SHOP_TEST_DATABASE_URL = urls.adminUrl;
  process.env.SHOP_TEST_NATS_URL = urls.natsUrl;
  return urls;
}

function ask(offer: string): Promise<string> {
  return new Promise((resolve, reject) => {
    // Without an agent, so that no keep-alive connection stays open.
    const request = get(offer, { agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => void (body += chunk));
      response.once('end', () => (response.statusCode === 200 ? resolve(body) : reject(new Error(body))));
    });
    request.once('error', reject);
  });
}
