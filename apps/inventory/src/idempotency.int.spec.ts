import { Ledger } from '@shop/idempotency';
import { expectPolicyTable } from '@shop/idempotency/testing';
import { Database } from '@shop/postgres';
import { useStack } from '@shop/testing';
import { InventoryApp, newSku } from '../testing/inventory-app';

const stack = useStack();

describe('the keys of the inventory service', () => {
  it('R24 are told, with the policy of each route, by the OpenAPI document and the docs alike', async () => {
    const app = await InventoryApp.start(stack);
    try {
      expectPolicyTable('inventory', (await app.call('GET', '/openapi.json')).body);
    } finally {
      await app.close();
    }
  });

  it('R54 are removed and erased with the rights of the everyday role', async () => {
    const app = await InventoryApp.start(stack);
    try {
      const [who] = await app.query<{ role: string }>('select current_user as role');
      expect(who!.role).toBe(`${stack.databaseName}_service`);
      await expect(app.query('drop table ledger')).rejects.toThrow('must be owner of table ledger');
      const sku = newSku();
      await app.put(sku, 5);
      for (const key of ['old', 'new'])
        expect((await app.adjust(sku, { delta: 1, reason: 'broken' }, key)).statusCode).toBe(201);
      await app.query(`update ledger set expires_at = now() - interval '1 day' where key = 'old'`);
      expect(await app.app.get(Ledger).reap(app.app.get(Database), 0)).toMatchObject({ changed: 1 });
      expect((await app.call('DELETE', '/idempotency-keys')).statusCode).toBe(204);
      expect(await app.query(`select key, status from ledger where key in ('old', 'new')`)).toEqual([
        { key: 'new', status: 'erased' },
      ]);
    } finally {
      await app.close();
    }
  });
});
