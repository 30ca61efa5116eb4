/** Every route of the fulfilment service, tried by everybody who must not get in. */
import { randomUUID } from 'node:crypto';
import { TestClient } from '@shop/http/testing';
import {
  backfillDoors,
  commonDoors,
  describeClosedDoors,
  doorKeys,
  everybody,
  openService,
  operators,
  putLetter,
} from '@shop/service/testing';
import { useStack } from '@shop/testing';
import { fulfilmentService } from './app';
import { deliveryIdOf } from './deliveries/delivery';
import { notificationIdOf } from './notifications/notification';

const stack = useStack();

describeClosedDoors(async () => {
  const app = await openService(fulfilmentService, stack, { API_KEYS: doorKeys.API_KEYS }, { takesMessages: false });
  const client = new TestClient(app, doorKeys.callers.root);
  const notification = `/notifications/${await putNotification(client)}`;
  const orderId = randomUUID();
  const delivery = `/deliveries/${deliveryIdOf({ tenant: 'acme', orderId })}`;
  await client.query(
    `insert into delivery (tenant, id, order_id, customer_id, status, asked) values ('acme', $1, $2, 'alice', 'parked', true)`,
    [deliveryIdOf({ tenant: 'acme', orderId }), orderId],
  );
  const none = { status: 404 };
  const doors = {
    ...commonDoors(await putLetter(client)),
    ...backfillDoors,
    'GET /notifications': { roles: operators, rival: { status: 200, items: 0 } },
    'GET /notifications/:id': { roles: operators, url: notification, rival: { status: 404 } },
    'POST /notifications/:id/retry': { roles: operators, url: `${notification}/retry`, rival: { status: 404 } },
    'GET /customers/:id/points': { roles: everybody, url: '/customers/alice/points', rival: { status: 200, items: 0 } },
    'GET /deliveries': { roles: everybody, rival: { status: 200, items: 0 } },
    'GET /deliveries/:id': { roles: everybody, url: delivery, rival: none },
    'POST /deliveries/:id/retry': { roles: operators, url: `${delivery}/retry`, rival: none },
  };
  return { client, doors };
});

/** Of acme, and parked, as if its mailbox did not exist. Returns its id. */
async function putNotification(client: TestClient): Promise<string> {
  const cause = randomUUID();
  const id = notificationIdOf({ tenant: 'acme', template: 'order-confirmed', cause });
  await client.query(
    `insert into notification (tenant, id, customer_id, template, cause, order_id, data, status, reason)
     values ('acme', $1, 'alice', 'order-confirmed', $2, $3, '{}', 'parked', 'smtp_550')`,
    [id, cause, cause],
  );
  return id;
}
