// ctx.storage.sql: values, cursors, errors.
export const inside = {
  async "values of every type"({ storage, log }) {
    const row = storage.sql.exec("SELECT 1 AS i, 1.5 AS f, 'é' AS t, x'01ff' AS b, NULL AS n, 9007199254740993 AS big, ? AS p", 7).one();
    log(row);
    log(storage.sql.exec("SELECT typeof(?) a, typeof(?) b, typeof(?) c, typeof(?) d, typeof(?) e", 1, 1.5, "x", null, new Uint8Array([1])).one());
  },
  async "what can be bound"({ storage, tries }) {
    const bind = (what, value) => tries(what, () => storage.sql.exec("SELECT ? AS v, typeof(?1) AS t", value).one());
    await bind("true", true);
    await bind("undefined", undefined);
    await bind("bigint", 5n);
    await bind("object", { a: 1 });
    await bind("buffer", new Uint8Array([1, 2]).buffer);
    await bind("nan", NaN);
    await bind("2^53", 2 ** 53);
    await bind("date", new Date(0));
  },
  async "cursors"({ storage, log, tries }) {
    storage.sql.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')");
    const cursor = storage.sql.exec("SELECT * FROM t ORDER BY id");
    log(cursor.columnNames, cursor.next(), [...cursor], cursor.next());
    log([...storage.sql.exec("SELECT name, id FROM t ORDER BY id DESC").raw()]);
    log(storage.sql.exec("SELECT count(*) AS n FROM t").one(), storage.sql.exec("SELECT id FROM t WHERE id > 1").toArray());
    await tries("one of many", () => storage.sql.exec("SELECT * FROM t").one());
    await tries("one of none", () => storage.sql.exec("SELECT * FROM t WHERE id = 9").one());
  },
  async "two columns of one name"({ storage, log }) {
    log(storage.sql.exec("SELECT 1 AS a, 2 AS a").toArray(), [...storage.sql.exec("SELECT 1 AS a, 2 AS a").raw()]);
  },
  async "many statements, and the last one answers"({ storage, log, tries }) {
    log(storage.sql.exec("CREATE TABLE t (n); INSERT INTO t VALUES (1); SELECT n FROM t").toArray());
    await tries("with a binding", () => storage.sql.exec("INSERT INTO t VALUES (2); SELECT n FROM t WHERE n = ?", 2).toArray());
    await tries("nothing", () => storage.sql.exec("").toArray());
    await tries("a comment", () => storage.sql.exec("-- nothing").toArray());
    log(storage.sql.exec("INSERT INTO t VALUES (3) RETURNING n").toArray());
  },
  async "mistakes"({ storage, tries }) {
    storage.sql.exec("CREATE TABLE t (n INTEGER UNIQUE NOT NULL CHECK (n < 10)); INSERT INTO t VALUES (1)");
    await tries("syntax", () => storage.sql.exec("SELEC 1"));
    await tries("no table", () => storage.sql.exec("SELECT * FROM nowhere"));
    await tries("unique", () => storage.sql.exec("INSERT INTO t VALUES (1)"));
    await tries("not null", () => storage.sql.exec("INSERT INTO t VALUES (NULL)"));
    await tries("check", () => storage.sql.exec("INSERT INTO t VALUES (10)"));
    await tries("too few bindings", () => storage.sql.exec("SELECT ?, ?", 1));
    await tries("too many bindings", () => storage.sql.exec("SELECT ?", 1, 2));
    await tries("no text", () => storage.sql.exec());
    await tries("it goes on", () => storage.sql.exec("SELECT count(*) AS n FROM t").one());
  },
  async "what a guest may not say"({ storage, tries }) {
    for (const text of ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a", "ATTACH 'x' AS x", "PRAGMA journal_mode = WAL", "VACUUM", "PRAGMA user_version = 3",
      "SELECT load_extension('x')", "SELECT * FROM _cf_KV", "CREATE TABLE _cf_x (n)", "PRAGMA foreign_keys", "PRAGMA table_info('t')"]) {
      await tries(text, () => { storage.sql.exec(text); return "may"; });
    }
  },
  async "foreign keys hold"({ storage, tries }) {
    storage.sql.exec("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p INTEGER REFERENCES p(id))");
    await tries("orphan", () => { storage.sql.exec("INSERT INTO c VALUES (1)"); return "may"; });
  },
  async "functions"({ storage, log, tries }) {
    log(storage.sql.exec(`SELECT json_extract('{"a":[1,2]}', '$.a[1]') j, upper('é') u, abs(-3) a, round(2.567, 2) r, length('é') l,
      date(0, 'unixepoch') d, strftime('%Y', 86400, 'unixepoch') y, printf('%05d', 42) f, hex(x'ab') h, iif(1, 'y', 'n') i, ceil(1.2) c, sqrt(4) s`).one());
    await tries("fts5", () => storage.sql.exec("CREATE VIRTUAL TABLE d USING fts5(body); INSERT INTO d VALUES ('one two'); SELECT body FROM d WHERE d MATCH 'two'").toArray());
    await tries("window", () => storage.sql.exec("SELECT row_number() OVER (ORDER BY x DESC) n, x FROM (SELECT 1 x UNION SELECT 2)").toArray());
    await tries("with recursive", () => storage.sql.exec("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 5) SELECT sum(n) s FROM c").one());
    await tries("generated column", () => storage.sql.exec("CREATE TABLE g (a, b AS (a * 2)); INSERT INTO g (a) VALUES (4); SELECT b FROM g").one());
    await tries("strict", () => storage.sql.exec("CREATE TABLE st (n INTEGER) STRICT; INSERT INTO st VALUES ('x')"));
    await tries("upsert", () => storage.sql.exec("CREATE TABLE u (k PRIMARY KEY, n); INSERT INTO u VALUES (1, 1) ON CONFLICT (k) DO UPDATE SET n = n + 1; INSERT INTO u VALUES (1, 1) ON CONFLICT (k) DO UPDATE SET n = n + 1; SELECT n FROM u").one());
  },
  async "rows that were read and written"({ storage, log }) {
    storage.sql.exec("CREATE TABLE t (n)");
    const insert = storage.sql.exec("INSERT INTO t VALUES (1), (2), (3)");
    log(insert.rowsWritten, insert.rowsRead);
    const select = storage.sql.exec("SELECT * FROM t");
    select.toArray();
    log(select.rowsRead, select.rowsWritten);
  },
  async "a size"({ storage, log }) {
    const before = storage.sql.databaseSize;
    storage.sql.exec("CREATE TABLE t (n)");
    for (let i = 0; i < 100; i++) storage.sql.exec("INSERT INTO t VALUES (?)", "x".repeat(1000));
    log(typeof before, storage.sql.databaseSize - before > 90_000);
  },
  async "writes without a wait between them are one"({ storage, log }) {
    storage.sql.exec("CREATE TABLE t (n)");
    storage.kv.put("k", 1);
    storage.sql.exec("INSERT INTO t VALUES (1)");
    await storage.sync();
    log(storage.sql.exec("SELECT * FROM t").toArray(), await storage.get("k"));
  },
};
