// KV: env.NAME.get() and its siblings, and the durable objects in which the keys of a namespace are: the class Shard of
// the module "dacapo:kv", which a service of the platform's own runs.
((ops, lib) => {
  "use strict";

  const { INTERNAL } = lib;
  const { Array, ArrayBuffer, Date, Error, JSON, Map, Math, Number, Promise, Response, TypeError, Uint8Array } = globalThis;
  const { DurableObject } = lib.modules["dacapo:workers"];
  const SERVICE = "dacapo:kv";
  const NAMESPACE = `${SERVICE}.Shard`;
  // What is stored says where it is: this never changes. (The runtime knows it, too.)
  const SHARDS = 16;

  // All as at Cloudflare.
  const KEY_MAX = 512;
  const VALUE_MAX = 25 * 1024 * 1024;
  const METADATA_MAX = 1024;
  const TTL_MIN = 60;
  const LIST_MAX = 1000;
  const KEYS_MAX = 100;

  const failed = (what, code, why) => new Error(`KV ${what} failed: ${code} ${why}`);

  const keyOf = (key, what) => {
    key = `${key}`;
    if (key === "") throw new TypeError("Key name cannot be empty.");
    if (key === "." || key === "..") throw new TypeError(`"${key}" is not allowed as a key name.`);
    const { length } = ops.utf8Encode(key);
    if (length > KEY_MAX) {
      throw failed(what, 414, `UTF-8 encoded length of ${length} exceeds key length limit of ${KEY_MAX}.`);
    }
    return key;
  };

  // FNV-1a.
  const shardOf = (key) => {
    let hash = 0x811c9dc5;
    for (const byte of ops.utf8Encode(key)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
    return hash % SHARDS;
  };

  const typeOf = (options, what) => {
    const type = typeof options === "string" ? options : (options?.type ?? "text");
    if (!["text", "json", "arrayBuffer", "stream"].includes(type)) {
      throw new TypeError(`${what}: the type must be "text", "json", "arrayBuffer" or "stream", not ${lib.inspect(type)}`);
    }
    return type;
  };

  const valueOf = (bytes, type) => {
    switch (type) {
      case "text":
        return lib.textOf(bytes);
      case "json":
        return lib.jsonParse(lib.textOf(bytes));
      case "arrayBuffer":
        return bytes.slice().buffer;
      default:
        return new Response(bytes).body;
    }
  };

  const bytesOf = async (value) => {
    if (typeof value === "string") return ops.utf8Encode(value);
    if (lib.isReadable(value)) return new Uint8Array(await new Response(value).arrayBuffer());
    if (lib.isBuffer(value) || ArrayBuffer.isView(value)) return lib.copyBytes(value);
    throw new TypeError("KV put() accepts only strings, ArrayBuffers, ArrayBufferViews, and ReadableStreams as values.");
  };

  // Seconds since 1970, or null: never.
  const expirationOf = ({ expiration, expirationTtl }) => {
    const seconds = (value, name) => {
      const number = Math.trunc(Number(value));
      if (!(number > 0)) throw failed("PUT", 400, `Invalid ${name} of ${value}. Please specify integer greater than 0.`);
      return number;
    };
    const now = Date.now() / 1000;
    if (expirationTtl !== undefined && expirationTtl !== null) {
      const ttl = seconds(expirationTtl, "expiration_ttl");
      if (ttl < TTL_MIN) {
        throw failed("PUT", 400, `Invalid expiration_ttl of ${ttl}. Expiration TTL must be at least ${TTL_MIN}.`);
      }
      return Math.floor(now) + ttl;
    }
    if (expiration === undefined || expiration === null) return null;
    const at = seconds(expiration, "expiration");
    if (at < now + TTL_MIN) {
      const why = "Expiration times must be at least 60 seconds in the future.";
      throw failed("PUT", 400, `Invalid expiration of ${at}. ${why}`);
    }
    return at;
  };

  const metadataOf = (metadata) => {
    if (metadata === undefined || metadata === null) return null;
    const text = JSON.stringify(metadata);
    if (text === undefined) throw new TypeError(`put: the metadata ${lib.inspect(metadata, { depth: 0 })} has no JSON text`);
    const { length } = ops.utf8Encode(text);
    if (length > METADATA_MAX) {
      throw failed("PUT", 413, `Metadata length of ${length} exceeds limit of ${METADATA_MAX}.`);
    }
    return text;
  };

  class KVNamespace {
    #binding;
    #objects;
    constructor(token, binding, name) {
      if (token !== INTERNAL) throw new TypeError("Illegal constructor");
      this.#binding = binding;
      this.#objects = Array.from({ length: SHARDS }, (_, at) => ops.objectIdFromName(NAMESPACE, `${name}/${at}`));
    }
    #call(shard, method, ...args) {
      return lib.callMethod(this.#binding, this.#objects[shard], method, args);
    }
    async #read(key, type) {
      const found = await this.#call(shardOf(key), "get", key);
      if (found === null) return { value: null, metadata: null, cacheStatus: null };
      const metadata = found.metadata === null ? null : lib.jsonParse(found.metadata);
      return { value: valueOf(found.bytes, type), metadata, cacheStatus: null };
    }
    async #readAll(keys, options, pick) {
      const type = typeOf(options, "get");
      if (type !== "text" && type !== "json") throw new TypeError('get: several keys are read as "text" or "json"');
      if (keys.length > KEYS_MAX) throw failed("GET_BULK", 400, `You can request a maximum of ${KEYS_MAX} keys`);
      const names = keys.map((key) => keyOf(key, "GET"));
      const found = await Promise.all(names.map((key) => this.#read(key, type)));
      return new Map(names.map((key, at) => [key, pick(found[at])]));
    }
    async get(key, options = undefined) {
      if (Array.isArray(key)) return this.#readAll(key, options, ({ value }) => value);
      const type = typeOf(options, "get");
      return (await this.#read(keyOf(key, "GET"), type)).value;
    }
    async getWithMetadata(key, options = undefined) {
      if (Array.isArray(key)) return this.#readAll(key, options, ({ value, metadata }) => ({ value, metadata }));
      const type = typeOf(options, "getWithMetadata");
      return this.#read(keyOf(key, "GET"), type);
    }
    async put(key, value, options = undefined) {
      key = keyOf(key, "PUT");
      options ??= {};
      const expiration = expirationOf(options);
      const metadata = metadataOf(options.metadata);
      const bytes = await bytesOf(value);
      if (bytes.length > VALUE_MAX) {
        throw failed("PUT", 413, `Value length of ${bytes.length} exceeds limit of ${VALUE_MAX}.`);
      }
      await this.#call(shardOf(key), "put", key, bytes, expiration, metadata);
    }
    async delete(key) {
      key = keyOf(key, "DELETE");
      await this.#call(shardOf(key), "remove", key);
    }
    async list(options = undefined) {
      const { prefix = "", limit = LIST_MAX, cursor } = options ?? {};
      const count = Math.trunc(Number(limit ?? LIST_MAX));
      if (!(count >= 1 && count <= LIST_MAX)) {
        throw failed("GET", 400, `Invalid key_count_limit of ${limit}. Please specify an integer from 1 to ${LIST_MAX}.`);
      }
      const after = cursor === undefined || cursor === null || cursor === "" ? null : decodeURIComponent(`${cursor}`);
      const ask = (_, shard) => this.#call(shard, "list", `${prefix ?? ""}`, after, count + 1);
      const all = (await Promise.all(this.#objects.map(ask))).flat();
      all.sort((a, b) => lib.byCodePoints(a.name, b.name));
      const keys = all.slice(0, count).map(({ name, expires, metadata }) => {
        const entry = { name };
        if (expires !== null) entry.expiration = expires;
        if (metadata !== null) entry.metadata = lib.jsonParse(metadata);
        return entry;
      });
      if (all.length <= count) return { keys, list_complete: true, cacheStatus: null };
      return { keys, list_complete: false, cursor: encodeURIComponent(keys[count - 1].name), cacheStatus: null };
    }
  }
  lib.interface(KVNamespace, { hidden: true });
  lib.newKv = (binding, name) => new KVNamespace(INTERNAL, binding, name);

  // --- A part of a namespace ---

  // A value lies in pieces, since a cell of the database is limited.
  const PIECE = 1024 * 1024;
  // How many entries one alarm removes.
  const SWEEP = 500;

  const SCHEMA = `
    create table if not exists entry (key text primary key, expires integer, metadata text) without rowid;
    create index if not exists entry_expires on entry (expires) where expires is not null;
    create table if not exists piece (key text, at integer, bytes blob not null, primary key (key, at)) without rowid`;

  class Shard extends DurableObject {
    #sql;
    constructor(ctx, env) {
      super(ctx, env);
      this.#sql = ctx.storage.sql;
      for (const statement of SCHEMA.split(";")) this.#sql.exec(statement);
    }

    get(key) {
      const [entry] = this.#sql
        .exec("select metadata from entry where key = ? and (expires is null or expires > ?)", key, Date.now() / 1000)
        .toArray();
      if (entry === undefined) return null;
      const pieces = this.#sql.exec("select bytes from piece where key = ? order by at", key).toArray();
      const bytes = pieces.length === 0 ? new Uint8Array(0) : lib.concat(pieces.map((piece) => new Uint8Array(piece.bytes)));
      return { bytes, metadata: entry.metadata };
    }

    put(key, bytes, expires, metadata) {
      this.ctx.storage.transactionSync(() => {
        this.remove(key);
        this.#sql.exec("insert into entry (key, expires, metadata) values (?, ?, ?)", key, expires, metadata);
        for (let at = 0; at < bytes.length; at += PIECE) {
          this.#sql.exec("insert into piece (key, at, bytes) values (?, ?, ?)", key, at, bytes.slice(at, at + PIECE));
        }
      });
      if (expires !== null) this.#arm(expires);
    }

    remove(key) {
      this.#sql.exec("delete from entry where key = ?", key);
      this.#sql.exec("delete from piece where key = ?", key);
    }

    list(prefix, after, limit) {
      // No text of UTF-8 has a byte 255, so this is behind everything that begins with the prefix.
      return this.#sql
        .exec(
          `select key as name, expires, metadata from entry
             where key >= ? and key < cast(? || x'ff' as text) and key > ? and (expires is null or expires > ?)
             order by key limit ?`,
          prefix,
          prefix,
          after ?? "",
          Date.now() / 1000,
          limit,
        )
        .toArray();
    }

    // Removes what has expired: nobody sees it any more, and it takes space.
    alarm() {
      const rows = this.#sql
        .exec(
          `select key from entry where expires is not null and expires <= ? order by expires limit ${SWEEP}`,
          Date.now() / 1000,
        )
        .toArray();
      for (const { key } of rows) this.remove(key);
      const [next] = this.#sql.exec("select min(expires) as at from entry where expires is not null").toArray();
      if (next.at !== null) this.#arm(next.at);
    }

    #arm(expires) {
      const at = Math.max(expires * 1000, Date.now() + 1);
      const set = ops.storageAlarm();
      if (set === null || set > at) this.ctx.storage.setAlarm(at);
    }
  }

  lib.modules[SERVICE] = { Shard, default: {} };
})
