// The storage of a durable object: ctx.storage, with its keys, its SQL and its alarm.
//
// The state is in memory, so every operation is done when it is called; those of the asynchronous interface give
// promises that are resolved already. Nobody outside hears of what an object knows before it is on the disk: the
// runtime sees to that.
((ops, lib) => {
  "use strict";

  const { INTERNAL } = lib;
  const { ArrayBuffer, Map, Object, Promise, TypeError } = globalThis;
  const KEYS_MAX = 128;

  const guard = (token) => {
    if (token !== INTERNAL) throw new TypeError("Illegal constructor");
  };
  // What an asynchronous operation throws is a rejection.
  const promised = (f) => {
    try {
      return lib.resolved(f());
    } catch (error) {
      return lib.rejected(error);
    }
  };
  const dataClone = (error) =>
    error?.name === "DataCloneError" ? new lib.DOMException(error.message, "DataCloneError") : error;

  // As with everything that takes a string: what is none becomes one.
  const keyOf = (key) => `${key}`;
  const needs = (count, given, what) => {
    if (given < count) throw new TypeError(`${what} is required`);
  };
  const bounded = (keys) => {
    if (keys.length > KEYS_MAX) throw new RangeError(`at most ${KEYS_MAX} keys at once, not ${keys.length}`);
    return keys;
  };

  const getOne = (key) => ops.storageGet(keyOf(key));
  const putOne = (key, value) => {
    if (value === undefined) throw new TypeError(`put("${keyOf(key)}", undefined): undefined cannot be stored; use delete()`);
    try {
      ops.storagePut(keyOf(key), value);
    } catch (error) {
      throw dataClone(error);
    }
  };

  function byCodePoints(a, b) {
    const [one, two] = [a[Symbol.iterator](), b[Symbol.iterator]()];
    for (;;) {
      const [x, y] = [one.next(), two.next()];
      if (x.done || y.done) return Number(y.done ?? false) - Number(x.done ?? false);
      if (x.value !== y.value) return x.value.codePointAt(0) - y.value.codePointAt(0);
    }
  }

  lib.byCodePoints = byCodePoints;

  function get(keys) {
    if (!Array.isArray(keys)) return getOne(keys);
    const found = new Map();
    // In the order of list(), which compares what UTF-8 makes of them: by code points.
    for (const key of bounded(keys).map(keyOf).sort(byCodePoints)) {
      const value = getOne(key);
      if (value !== undefined) found.set(key, value);
    }
    return found;
  }

  function put(entries, value) {
    if (typeof entries !== "object" || entries === null) return putOne(entries, value);
    // All of them, or none.
    return atomically(() => {
      for (const key of bounded(Object.keys(entries))) putOne(key, entries[key]);
    });
  }

  function remove(keys) {
    if (!Array.isArray(keys)) return ops.storageDelete(keyOf(keys));
    let count = 0;
    for (const key of bounded(keys)) if (ops.storageDelete(keyOf(key))) count++;
    return count;
  }

  function list(options = {}) {
    options ??= {};
    if (typeof options !== "object") throw new TypeError("list: the options must be an object");
    const text = (name) => (options[name] === undefined || options[name] === null ? null : `${options[name]}`);
    if (options.start !== undefined && options.startAfter !== undefined) {
      throw new TypeError("list: start and startAfter cannot both be given");
    }
    let limit = null;
    if (options.limit !== undefined && options.limit !== null) {
      limit = Number(options.limit);
      if (!(limit > 0)) throw new TypeError("list: limit must be positive");
    }
    const reverse = Boolean(options.reverse);
    return ops.storageList(text("start"), text("startAfter"), text("end"), text("prefix"), reverse, limit);
  }
  function listed(options) {
    const flat = list(options);
    const found = new Map();
    for (let at = 0; at < flat.length; at += 2) found.set(flat[at], flat[at + 1]);
    return found;
  }

  const BEGIN = 0;
  const COMMIT = 1;
  const ROLLBACK = 2;
  const NOW = 0;
  const AT = 1;
  const RESTORE = 2;
  // An order to go back to an earlier state is on its way to the disk.
  let isRestoring = false;
  lib.isRestoring = () => isRestoring;
  const isThenable = (value) => typeof value === "object" && value !== null && typeof value.then === "function";

  function atomically(callback) {
    ops.storageTransaction(BEGIN);
    let result;
    try {
      result = callback();
      if (isThenable(result)) {
        throw new TypeError("transactionSync: the callback gave a promise, but it must be done when it returns");
      }
    } catch (error) {
      ops.storageTransaction(ROLLBACK);
      throw error;
    }
    ops.storageTransaction(COMMIT);
    return result;
  }

  // What the callback of transaction() works with.
  class DurableObjectTransaction {
    #ended = false;
    constructor(token) {
      guard(token);
    }
    get(key) {
      return promised(() => get(key));
    }
    put(key, value) {
      return promised(() => put(key, value));
    }
    delete(key) {
      return promised(() => remove(key));
    }
    list(options) {
      return promised(() => listed(options));
    }
    getAlarm() {
      return promised(() => ops.storageAlarm());
    }
    setAlarm(at) {
      return promised(() => setAlarm(at));
    }
    deleteAlarm() {
      return promised(() => ops.storageSetAlarm(null));
    }
    rollback() {
      this.#ended = true;
    }
    static isRolledBack(transaction) {
      return transaction.#ended;
    }
  }
  const { isRolledBack } = DurableObjectTransaction;
  delete DurableObjectTransaction.isRolledBack;
  lib.interface(DurableObjectTransaction, { hidden: true });

  const ALARM_MAX = 9_223_372_036_854;
  function setAlarm(at) {
    const millis = typeof at === "number" ? at : at instanceof Date ? at.getTime() : NaN;
    if (!Number.isFinite(millis)) {
      throw new TypeError(`setAlarm: a Date or milliseconds are required, not ${lib.inspect(at, { depth: 0 })}`);
    }
    if (millis < 0) throw new TypeError(`setAlarm: ${millis} is before 1970`);
    // What the disk keeps: nanoseconds of 64 bits.
    if (millis > ALARM_MAX) throw new TypeError(`setAlarm: ${millis} is after the year 2262; an alarm is set in milliseconds since 1970`);
    if (!lib.hasAlarm) {
      throw new TypeError("setAlarm: the class of this object has no method alarm(), so nobody would answer it");
    }
    // A time that has passed means: at once.
    ops.storageSetAlarm(Math.trunc(millis));
  }

  // The keys, for code that does not want promises: storage.kv.
  class SyncKvStorage {
    constructor(token) {
      guard(token);
    }
    get(key) {
      return getOne(key);
    }
    put(key, value) {
      putOne(key, value);
    }
    delete(key) {
      return ops.storageDelete(keyOf(key));
    }
    *list(options) {
      const flat = list(options);
      for (let at = 0; at < flat.length; at += 2) yield [flat[at], flat[at + 1]];
    }
  }
  lib.interface(SyncKvStorage, { hidden: true });

  // The rows of a query. All of them were read when it ran, so that later writes do not show in them.
  class SqlStorageCursor {
    #columns;
    #rows;
    #at = 0;
    rowsRead;
    rowsWritten;
    constructor(token, [columns, rows, read, written]) {
      guard(token);
      this.#columns = columns;
      this.#rows = rows;
      this.rowsRead = read;
      this.rowsWritten = written;
    }
    get columnNames() {
      return [...this.#columns];
    }
    #object(row) {
      const object = {};
      for (let at = 0; at < row.length; at++) object[this.#columns[at]] = row[at];
      return object;
    }
    next() {
      if (this.#at >= this.#rows.length) return { done: true, value: undefined };
      return { done: false, value: this.#object(this.#rows[this.#at++]) };
    }
    toArray() {
      const rest = this.#rows.slice(this.#at);
      this.#at = this.#rows.length;
      return rest.map((row) => this.#object(row));
    }
    one() {
      const left = this.#rows.length - this.#at;
      if (left !== 1) {
        throw new Error(`Expected exactly one result from SQL query, but got ${left === 0 ? "no results" : "multiple results"}.`);
      }
      return this.#object(this.#rows[this.#at++]);
    }
    *raw() {
      while (this.#at < this.#rows.length) yield this.#rows[this.#at++];
    }
    [Symbol.iterator]() {
      return this;
    }
  }
  // raw() has toArray(), as the cursor itself.
  const generator = SqlStorageCursor.prototype.raw;
  SqlStorageCursor.prototype.raw = function raw() {
    const rows = generator.call(this);
    rows.toArray = () => [...rows];
    return rows;
  };
  lib.interface(SqlStorageCursor, { hidden: true });

  // What is no value of SQL becomes a text, but for whole numbers that SQL would take for others.
  const bound = (value) => {
    switch (typeof value) {
      case "undefined":
        return null;
      case "number":
      case "string":
        return value;
      case "object":
        return value === null || value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? value : `${value}`;
      case "bigint":
        throw new TypeError(`${value}n cannot be bound: give a number, or a string`);
      default:
        return `${value}`;
    }
  };

  class SqlStorage {
    constructor(token) {
      guard(token);
    }
    exec(query, ...bindings) {
      needs(1, arguments.length, "exec: a query");
      return new SqlStorageCursor(INTERNAL, ops.storageSql(`${query}`, bindings.map(bound)));
    }
    get databaseSize() {
      return ops.storageSize();
    }
  }
  SqlStorage.prototype.Cursor = SqlStorageCursor;
  lib.interface(SqlStorage, { hidden: true });

  class DurableObjectStorage {
    sql = new SqlStorage(INTERNAL);
    kv = new SyncKvStorage(INTERNAL);
    constructor(token) {
      guard(token);
    }
    get(key) {
      const given = arguments.length;
      return promised(() => (needs(1, given, "get: a key"), get(key)));
    }
    put(key, value) {
      const given = arguments.length;
      return promised(() => (needs(1, given, "put: a key"), put(key, value)));
    }
    delete(key) {
      const given = arguments.length;
      return promised(() => (needs(1, given, "delete: a key"), remove(key)));
    }
    list(options) {
      return promised(() => listed(options));
    }
    deleteAll() {
      return promised(() => ops.storageDeleteAll());
    }
    getAlarm() {
      return promised(() => ops.storageAlarm());
    }
    setAlarm(at) {
      return promised(() => setAlarm(at));
    }
    deleteAlarm() {
      return promised(() => ops.storageSetAlarm(null));
    }
    transactionSync(callback) {
      return atomically(callback);
    }
    // Nothing else enters the object until the callback is done, so it may wait.
    transaction(callback) {
      return lib.alone(async () => {
        const transaction = new DurableObjectTransaction(INTERNAL);
        ops.storageTransaction(BEGIN);
        let result;
        try {
          result = await callback(transaction);
        } catch (error) {
          ops.storageTransaction(ROLLBACK);
          throw error;
        }
        ops.storageTransaction(isRolledBack(transaction) ? ROLLBACK : COMMIT);
        return result;
      });
    }
    // Resolves once everything written so far is on the disk.
    sync() {
      return new Promise((resolve) => lib.onDurable(resolve));
    }
    getCurrentBookmark() {
      return promised(() => ops.storageBookmark(NOW));
    }
    getBookmarkForTime(time) {
      return promised(() => {
        const millis = time instanceof Date ? time.getTime() : Number(time);
        if (!Number.isFinite(millis)) {
          throw new TypeError(`getBookmarkForTime: a Date or milliseconds are required, not ${lib.inspect(time, { depth: 0 })}`);
        }
        return ops.storageBookmark(AT, Math.floor(millis));
      });
    }
    // The promise is resolved when the order is on the disk: who aborts the object after that finds it carried out.
    onNextSessionRestoreBookmark(bookmark) {
      const given = arguments.length;
      return promised(() => {
        needs(1, given, "onNextSessionRestoreBookmark: a bookmark");
        const before = ops.storageBookmark(RESTORE, `${bookmark}`);
        isRestoring = true;
        return new Promise((resolve) => lib.onDurable(() => {
          isRestoring = false;
          resolve(before);
        }));
      });
    }
  }
  lib.interface(DurableObjectStorage, { hidden: true });
  lib.newStorage = () => new DurableObjectStorage(INTERNAL);
})
