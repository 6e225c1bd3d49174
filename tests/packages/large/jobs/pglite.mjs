import { PGlite } from '@electric-sql/pglite';

const db = await PGlite.create();
await db.exec(`create table t (id serial primary key, name text, value int);
  insert into t (name, value) select 'name ' || (i % 7), i * 7919 % 1000 from generate_series(1, 500) i;`);
const { rows } = await db.query('select name, count(*)::int as n, sum(value)::int as total from t group by name order by name');
console.log(JSON.stringify(rows));
await db.close();
process.exit(0);
