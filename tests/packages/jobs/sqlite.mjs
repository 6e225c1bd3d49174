import sqlite3InitModule from '@sqlite.org/sqlite-wasm';

const sqlite3 = await sqlite3InitModule({ print: () => {}, printErr: () => {} });
const db = new sqlite3.oo1.DB(':memory:');
db.exec('create table t (id integer primary key, name text, value real)');
db.exec('begin');
const insert = db.prepare('insert into t (name, value) values (?, ?)');
for (let i = 0; i < 12000; i++) insert.bind([`name ${i % 17}`, (i * 7919) % 1000]).stepReset();
insert.finalize();
db.exec('commit');
const rows = db.exec('select name, count(*), sum(value), max(value) from t group by name order by name', { returnValue: 'resultRows' });
for (const row of rows) console.log(row.join(' '));
