// The schema of a database as text that is kept in git, so that a review sees what a migration changes.
import { Client } from 'pg';
import { expectKeptFile } from './kept-file';

/** Compares the schema `public` with the text in `file`; `project` is the Jest project, such as `@shop/order`. */
export async function expectSchema(databaseUrl: string, file: string, project: string): Promise<void> {
  expectKeptFile(file, await describeSchema(databaseUrl), { project, pattern: 'schema' });
}

/** Tables with their columns, constraints and indexes in name order; then everything else that the schema holds. */
export async function describeSchema(databaseUrl: string): Promise<string> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ line: string }>(schemaLines);
    return `${rows
      .map(({ line }) => (line.startsWith(' ') ? line : `\n${line}`))
      .join('\n')
      .trimStart()}\n`;
  } finally {
    await client.end();
  }
}

/** TypeORM's own list of the migrations that ran. */
const bookkeeping = `'migration', 'migration_id_seq'`;

// One line for each thing. Not-null constraints are shown with their column, whether or not the server has names for them.
const schemaLines = `
  with ours as (
    select c.oid, c.relname::text as name, c.relkind, c.reloptions
    from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relname not in (${bookkeeping})
  ), tables as (
    select * from ours where relkind in ('r', 'p')
  ), lines as (
    select name, 0 as kind, '' as place,
      'table ' || name || coalesce(' with (' || array_to_string(reloptions, ', ') || ')', '')
        || coalesce(' -- ' || obj_description(oid, 'pg_class'), '') as line
    from tables
    union all
    select t.name, 1, lpad(a.attnum::text, 5, '0'),
      '  ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
        || case when a.attnotnull then ' not null' else '' end
        || case a.attidentity when 'a' then ' identity always' when 'd' then ' identity' else '' end
        || coalesce(case a.attgenerated when '' then ' default ' else ' generated ' end || pg_get_expr(d.adbin, d.adrelid), '')
        || coalesce(' -- ' || col_description(t.oid, a.attnum), '')
    from tables t
    join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = t.oid and d.adnum = a.attnum
    union all
    select t.name, 2, k.conname, '  constraint ' || k.conname || ' ' || pg_get_constraintdef(k.oid, true)
    from tables t join pg_constraint k on k.conrelid = t.oid and k.contype <> 'n'
    union all
    select t.name, 3, i.indexrelid::regclass::text, '  ' || pg_get_indexdef(i.indexrelid)
    from tables t join pg_index i on i.indrelid = t.oid
    where not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.conrelid = t.oid)
    union all
    select t.name, 4, g.tgname, '  ' || pg_get_triggerdef(g.oid)
    from tables t join pg_trigger g on g.tgrelid = t.oid and not g.tgisinternal
    union all
    select name, 5, relkind::text, case relkind when 'S' then 'sequence ' else 'view ' end || name
      || coalesce(' as ' || case relkind when 'S' then null else pg_get_viewdef(oid, true) end, '')
    from ours where relkind in ('S', 'v', 'm')
    union all
    select p.proname, 6, p.oid::regprocedure::text, pg_get_functiondef(p.oid)
    from pg_proc p where p.pronamespace = 'public'::regnamespace and p.prokind <> 'a'
    union all
    select y.typname, 7, '', 'type ' || y.typname || ' ' || y.typtype::text
    from pg_type y
    where y.typnamespace = 'public'::regnamespace and y.typtype in ('d', 'e', 'r')
  )
  select line from lines order by kind > 4, name collate "C", kind, place collate "C"`;
