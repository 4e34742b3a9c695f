// ctx.storage: keys and values, lists, transactions.
export const inside = {
  async "what was put is got"({ storage, log }) {
    log(await storage.put("a", 1), await storage.get("a"), await storage.get("b"));
  },
  async "every kind of value comes back as it went"({ storage, log }) {
    const values = {
      text: "é\u{1f600}", none: null, undef: undefined, yes: true, float: 0.1, neg: -0, nan: NaN, inf: -Infinity, big: 12345678901234567890n,
      date: new Date(86400000), re: /a+/gi, map: new Map([[1, { x: [1, 2] }]]), set: new Set(["a", 1]), bytes: new Uint8Array([1, 2, 255]),
      buffer: new ArrayBuffer(3), floats: new Float64Array([1.5]), error: new RangeError("out"), nested: { a: [{ b: null }] }, holes: [1, , 3],
    };
    for (const [key, value] of Object.entries(values)) {
      await storage.put(key, value);
      log(key, await storage.get(key));
    }
  },
  async "an object that contains itself"({ storage, log }) {
    const self = { name: "self" };
    self.self = self;
    await storage.put("self", self);
    const back = await storage.get("self");
    log(back.self === back, back.name);
  },
  async "what is put is a copy"({ storage, log }) {
    const value = { n: 1 };
    const put = storage.put("a", value);
    value.n = 2;
    await put;
    log(await storage.get("a"));
    (await storage.get("a")).n = 3;
    log(await storage.get("a"));
  },
  async "what cannot be cloned is refused"({ storage, tries }) {
    await tries("function", () => storage.put("f", () => 1));
    await tries("symbol", () => storage.put("s", Symbol("x")));
    await tries("in an object", () => storage.put("o", { f() {} }));
    await tries("nothing was put", () => storage.list());
  },
  async "many at once"({ storage, log }) {
    await storage.put({ c: 3, a: 1, b: 2 });
    log(await storage.get(["b", "x", "a"]));
    log(await storage.delete(["a", "x", "c"]), await storage.list());
    log(await storage.delete("b"), await storage.delete("b"));
    log(await storage.get([]), await storage.delete([]));
  },
  async "list is in the order of bytes"({ storage, log }) {
    for (const key of ["b", "a", "aa", "B", "é", "z", "", "\u{1f600}", "\uffee", "10", "9"]) {
      await storage.put(key, 1).catch((error) => log("key", JSON.stringify(key), error));
    }
    log([...(await storage.list()).keys()]);
    log([...(await storage.list({ reverse: true })).keys()]);
  },
  async "list takes a part"({ storage, log }) {
    for (const key of ["a", "b", "ba", "bb", "c", "d"]) await storage.put(key, key);
    const keys = async (options) => log(options, [...(await storage.list(options)).keys()]);
    await keys({ prefix: "b" });
    await keys({ start: "b" });
    await keys({ start: "b", end: "c" });
    await keys({ startAfter: "b" });
    await keys({ startAfter: "b", end: "bb" });
    await keys({ limit: 2 });
    await keys({ limit: 2, reverse: true });
    await keys({ prefix: "b", limit: 1, reverse: true });
    await keys({ start: "bb", prefix: "b" });
    await keys({ start: "b", end: "c", reverse: true });
    await keys({ start: "x" });
    await keys({ end: "a" });
    await keys({ prefix: "" });
  },
  async "list with options that make no sense"({ storage, tries }) {
    await tries("limit 0", () => storage.list({ limit: 0 }));
    await tries("limit -1", () => storage.list({ limit: -1 }));
    await tries("start and startAfter", () => storage.list({ start: "a", startAfter: "b" }));
    await tries("end before start", () => storage.list({ start: "b", end: "a" }));
    await tries("no object", () => storage.list("a"));
  },
  async "keys and values that are too large"({ storage, tries }) {
    await tries("key of 2048", async () => { await storage.put("k".repeat(2048), 1); return "ok"; });
    await tries("key of 2049", () => storage.put("k".repeat(2049), 1));
    await tries("key of 1025 two-byte letters", () => storage.put("é".repeat(1025), 1));
    await tries("get with a key of 2049", () => storage.get("k".repeat(2049)));
    await tries("value of 3 MiB", () => storage.put("v", "x".repeat(3 << 20)));
    await tries("129 keys", () => storage.get(Array.from({ length: 129 }, (_, i) => `${i}`)));
    await tries("129 entries", () => storage.put(Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`${i}`, 1]))));
  },
  async "arguments that make no sense"({ storage, tries }) {
    await tries("get()", () => storage.get());
    await tries("get(undefined)", () => storage.get(undefined));
    await tries("get(1)", () => storage.get(1));
    await tries("put()", () => storage.put());
    await tries("put('a')", () => storage.put("a"));
    await tries("put(1, 1)", async () => { await storage.put(1, "one"); return storage.get("1"); });
    await tries("put('', 1)", async () => { await storage.put("", "empty"); return [await storage.get(""), await storage.list()]; });
    await tries("delete()", () => storage.delete());
  },
  async "deleteAll"({ storage, log }) {
    await storage.put({ a: 1, b: 2 });
    log(await storage.deleteAll(), await storage.list());
    await storage.put("c", 3);
    log(await storage.list());
  },
  async "a transaction that throws changes nothing"({ storage, log, tries }) {
    await storage.put("a", 1);
    await tries("transaction", () => storage.transaction(async (txn) => {
      await txn.put("a", 2);
      log("inside", await txn.get("a"));
      throw new RangeError("no");
    }));
    log(await storage.get("a"));
  },
  async "a transaction that rolls back changes nothing"({ storage, log, tries }) {
    await storage.put("a", 1);
    await tries("transaction", () => storage.transaction(async (txn) => {
      await txn.put("a", 2);
      txn.rollback();
      return "done";
    }));
    log(await storage.get("a"));
  },
  async "a transaction gives what its closure gives"({ storage, log }) {
    log(await storage.transaction(async (txn) => { await txn.put("a", 5); return (await txn.list()).size; }), await storage.get("a"));
  },
  async "transactionSync"({ storage, log, tries }) {
    log(storage.transactionSync(() => { storage.sql.exec("CREATE TABLE t (n)"); storage.sql.exec("INSERT INTO t VALUES (1)"); return 7; }));
    await tries("throws", () => storage.transactionSync(() => { storage.sql.exec("INSERT INTO t VALUES (2)"); throw new RangeError("no"); }));
    log(storage.sql.exec("SELECT n FROM t").toArray());
  },
  async "sync and options"({ storage, log }) {
    await storage.put("a", 1, { allowUnconfirmed: true, noCache: true });
    log(await storage.sync(), await storage.get("a", { allowConcurrency: true }));
  },
  async "kv without waiting"({ storage, log, tries }) {
    log(storage.kv.put("a", { n: 1 }), storage.kv.get("a"), storage.kv.get("x"));
    storage.kv.put("b", 2);
    log([...storage.kv.list()], [...storage.kv.list({ prefix: "b" })]);
    log(storage.kv.delete("a"), storage.kv.delete("a"), await storage.get("b"));
    await tries("function", () => storage.kv.put("f", () => 1));
  },
};
