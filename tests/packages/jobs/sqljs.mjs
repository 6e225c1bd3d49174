import initSqlJs from 'sql.js';

const SQL = await initSqlJs();
const db = new SQL.Database();
db.run('create table t (id integer primary key, name text, value real)');
db.run('begin');
const insert = db.prepare('insert into t (name, value) values (?, ?)');
for (let i = 0; i < 20000; i++) insert.run([`name ${i % 17}`, (i * 7919) % 1000]);
insert.free();
db.run('commit');
const [{ values }] = db.exec('select name, count(*), sum(value), max(value) from t group by name order by name');
for (const row of values) console.log(row.join(' '));
