-- The two roles of a service, in its database: one that migrates and owns all, and one for the everyday work, which gets
-- its rights from the first one (libs/postgres/src/grants.ts). May run again: it gives new passwords, and takes over a
-- database that was made before there were these roles.
--
-- Run by an administrator who is connected to the database, with these settings of the session:
--   shop.service, shop.service_password, shop.migrator, shop.migrator_password
do $$
declare
  service text := current_setting('shop.service');
  migrator text := current_setting('shop.migrator');
  thing record;
begin
  for thing in
    select * from (values (service, current_setting('shop.service_password')),
                          (migrator, current_setting('shop.migrator_password'))) as role (name, password)
  loop
    if not exists (select from pg_roles where rolname = thing.name) then
      execute format('create role %I', thing.name);
    end if;
    execute format('alter role %I login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password %L',
                   thing.name, thing.password);
  end loop;

  execute format('alter database %I owner to %I', current_database(), migrator);
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to %I', current_database(), service);
  execute format('alter schema public owner to %I', migrator);
  revoke all on schema public from public;
  -- Also before the first migration: without a schema that it sees, a session would try to make a temporary one.
  execute format('grant usage on schema public to %I', service);

  -- What others own: tables with their indexes and sequences, sequences of no table, and functions.
  for thing in
    select case c.relkind when 'S' then 'sequence' when 'v' then 'view' when 'm' then 'materialized view' else 'table' end
             as kind, c.oid::regclass::text as name
    from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'S', 'v', 'm')
      and c.relowner <> migrator::regrole
      -- The sequence of a column goes with its table; so does what belongs to an extension.
      and not exists (select from pg_depend d where d.objid = c.oid and d.deptype in ('a', 'i', 'e')
                                                and d.classid = 'pg_class'::regclass)
    union all
    select 'routine', p.oid::regprocedure::text
    from pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proowner <> migrator::regrole
      and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e' and d.classid = 'pg_proc'::regclass)
  loop
    execute format('alter %s %s owner to %I', thing.kind, thing.name, migrator);
  end loop;
end
$$;
