/**
 * Sees each committed step of the rows that tell a story: a reservation, a use of a promotion, a cart, a delivery, a mail. At the end of a
 * run a row tells only where it is, and not by which ways it came there. And sees what must not be true for a moment.
 */
import type { Service } from './service';

/** What is added to the migrated database of a service. */
export const installRowWitness = (service: Service): string | undefined => installations[service];

const installations: Partial<Record<Service, string>> = {
  inventory: `
    ${tables()}
    ${steps('reservation', `new.id::text`)}
    create function sim.note_promises() returns trigger language plpgsql security definer as $$ begin
      insert into sim.overdone (tenant, what)
      values (new.tenant, format('%s of %s are reserved, %s are there, and %s may be awaited',
                                 new.reserved, new.sku, new.on_hand, new.backorder_limit));
      return null;
    end $$;
    create trigger sim_promises after update on stock for each row
    when (new.reserved - new.on_hand > new.backorder_limit and new.reserved - new.on_hand > old.reserved - old.on_hand)
    execute function sim.note_promises()`,
  fulfilment: `
    ${tables()}
    ${steps('delivery', 'new.order_id::text')}
    ${steps('notification', `new.template || ' of ' || new.cause`)}`,
  order: `
    ${tables()}
    ${steps('promotion_use', `new.code || ' by ' || new.order_id`)}
    ${steps('cart', 'new.id')}
    create function sim.note_uses() returns trigger language plpgsql security definer as $$ begin
      insert into sim.overdone (tenant, what)
      values (new.tenant, format('%s is used %s times of %s', new.code, new.used, new.max_uses));
      return null;
    end $$;
    create trigger sim_uses after update on promotion for each row when (new.used > new.max_uses)
    execute function sim.note_uses()`,
};

function tables(): string {
  return `
    create table sim.step (
      position bigint generated always as identity, tenant text, thing text, id text, was text, is_now text);
    create index on sim.step (tenant);
    create table sim.overdone (tenant text, what text);`;
}

function steps(table: string, id: string): string {
  return `
    create function sim.note_${table}() returns trigger language plpgsql security definer as $$ begin
      insert into sim.step (tenant, thing, id, was, is_now)
      values (new.tenant, '${table}', ${id}, case tg_op when 'UPDATE' then old.status end, new.status);
      return null;
    end $$;
    create trigger sim_made after insert on ${table} for each row execute function sim.note_${table}();
    create trigger sim_moved after update on ${table} for each row when (new.status <> old.status)
    execute function sim.note_${table}();`;
}
