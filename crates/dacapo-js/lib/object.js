// Durable objects: what a service calls them by, what they are given, and the modules that have their classes.
((ops, lib) => {
  "use strict";

  const { INTERNAL } = lib;
  const { Error, Map, Object, Promise, Proxy, Response, TextDecoder, TypeError, Uint8Array } = globalThis;
  const guard = (token) => {
    if (token !== INTERNAL) throw new TypeError("Illegal constructor");
  };

  // A call of a method travels as a request of its own kind. Guests cannot make one: a stub's fetch drops the field.
  const RPC = "dacapo-rpc";
  const RPC_URL = "https://object.internal/";

  // How long nothing else may enter an object at most, in milliseconds.
  const ALONE_MAX = 30_000;

  class DurableObjectId {
    #text;
    #namespace;
    name;
    constructor(token, namespace, text, name) {
      guard(token);
      this.#namespace = namespace;
      this.#text = text;
      if (name === undefined) delete this.name;
      else this.name = name;
    }
    toString() {
      return this.#text;
    }
    equals(other) {
      return textOf(other) === this.#text;
    }
    static textOf(id, namespace) {
      if (typeof id !== "object" || id === null || !(#text in id)) throw new TypeError("the id of a durable object is required");
      if (namespace !== undefined && id.#namespace !== namespace) {
        throw new TypeError("this id is of another namespace than the one it is used with");
      }
      return id.#text;
    }
  }
  const { textOf } = DurableObjectId;
  delete DurableObjectId.textOf;
  lib.interface(DurableObjectId, { hidden: true });
  lib.inspectAs(DurableObjectId, (id) => ({ id: id.toString(), name: id.name }));

  const errorClasses = new Map(
    [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((cls) => [cls.name, cls]),
  );
  const flatten = (error) => {
    // What is thrown without being an error arrives as one, for code that asks for its message.
    if (!(error instanceof Error) && !(error instanceof lib.DOMException)) return { name: "Error", message: lib.messageOf(error) };
    return { name: `${error.name}`, message: `${error.message}`, isDom: error instanceof lib.DOMException };
  };
  const unflatten = (flat) => {
    const cls = errorClasses.get(flat.name);
    const error = flat.isDom ? new lib.DOMException(flat.message, flat.name) : new (cls ?? Error)(flat.message);
    if (cls === undefined && !flat.isDom) Object.defineProperty(error, "name", { value: flat.name, writable: true, configurable: true });
    Object.defineProperty(error, "remote", { value: true, writable: true, configurable: true });
    return error;
  };

  const pack = (value) => {
    try {
      return ops.serialize(value);
    } catch (error) {
      throw error?.name === "DataCloneError" ? new lib.DOMException(error.message, "DataCloneError") : error;
    }
  };

  lib.pack = pack;
  lib.textOf = (bytes) => new TextDecoder().decode(bytes);
  lib.flatten = flatten;
  lib.unflatten = unflatten;
  lib.packValue = pack;

  async function callMethod(binding, object, method, args, name = null) {
    const body = pack(args);
    const headers = { [RPC]: method };
    const response = await lib.fetch(binding, RPC_URL, { method: "POST", headers, body }, object, null, name);
    const kind = response.headers.get(RPC);
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (kind === "value") return ops.deserialize(bytes);
    if (kind === "error") throw unflatten(ops.deserialize(bytes));
    // The runtime itself has answered: the object came to its end, or could not begin.
    const error = new Error(lib.textOf(bytes));
    error.durableObjectReset = true;
    throw error;
  }

  lib.callMethod = callMethod;

  // What a service holds of an object that may be anywhere: its own methods, and every name of the class as a call.
  const newStub = (binding, id) => {
    const object = `${id}`;
    const name = id.name ?? null;
    const target = {
      id,
      name: id.name,
      fetch(input, init = undefined) {
        if (arguments.length === 0) return lib.rejected(new TypeError("fetch: a URL or a Request is required"));
        return lib.fetch(binding, input, init, object, RPC, name);
      },
    };
    const methods = new Map();
    return new Proxy(target, {
      get(stub, key) {
        if (typeof key === "symbol" || (key in stub && key !== "constructor")) return stub[key];
        // A promise that is resolved with a stub shall not take it for another promise.
        if (key === "then") return undefined;
        let method = methods.get(key);
        if (method === undefined) {
          method = (...args) => callMethod(binding, object, key, args, name);
          methods.set(key, method);
        }
        return method;
      },
      set: () => false,
      defineProperty: () => false,
      deleteProperty: () => false,
    });
  };

  class DurableObjectNamespace {
    #binding;
    #namespace;
    constructor(token, binding, namespace) {
      guard(token);
      this.#binding = binding;
      this.#namespace = namespace;
    }
    newUniqueId() {
      return new DurableObjectId(INTERNAL, this.#namespace, ops.objectIdUnique(this.#namespace));
    }
    idFromName(name) {
      if (arguments.length === 0) throw new TypeError("idFromName: a name is required");
      name = `${name}`;
      return new DurableObjectId(INTERNAL, this.#namespace, ops.objectIdFromName(this.#namespace, name), name);
    }
    idFromString(text) {
      text = `${text}`;
      if (!ops.objectIdIsKnown(this.#namespace, text)) {
        throw new TypeError(`idFromString: "${text}" is not an id of this namespace: 64 hexadecimal digits that it gave out`);
      }
      return new DurableObjectId(INTERNAL, this.#namespace, text.toLowerCase());
    }
    get(id) {
      textOf(id, this.#namespace);
      return newStub(this.#binding, id);
    }
    getByName(name) {
      return this.get(this.idFromName(name));
    }
    // Where data may live is for the configuration to say.
    jurisdiction() {
      return this;
    }
  }
  lib.interface(DurableObjectNamespace, { hidden: true });
  lib.newNamespace = (binding, namespace) => new DurableObjectNamespace(INTERNAL, binding, namespace);

  // How deep the object is in sections that nobody may interrupt.
  let depth = 0;
  // What the first event waits for: the sections that the constructor has begun.
  let constructing = null;

  // Runs `callback` while nothing else enters the object.
  lib.alone = async (callback) => {
    if (depth++ === 0) ops.exclusive(true);
    const timer = lib.setTimer(() => ops.abort(`nothing may keep an object to itself for more than ${ALONE_MAX / 1000} s`), ALONE_MAX);
    try {
      return await callback();
    } finally {
      lib.clearTimer(timer);
      if (--depth === 0) ops.exclusive(false);
    }
  };

  class DurableObjectState {
    #context;
    id;
    storage;
    props = {};
    constructor(token, id) {
      guard(token);
      this.#context = lib.newContext();
      this.id = id;
      this.storage = lib.newStorage();
    }
    waitUntil(promise) {
      this.#context.waitUntil(promise);
    }
    blockConcurrencyWhile(callback) {
      const section = lib.alone(async () => {
        try {
          return await callback();
        } catch (error) {
          // Who cannot be set up must not serve.
          ops.log(3, lib.stackOf(error));
          ops.abort(`blockConcurrencyWhile() failed: ${lib.messageOf(error)}`);
          throw error;
        }
      });
      if (constructing !== null) constructing.push(section);
      return section;
    }
    abort(reason = undefined) {
      const text = reason === undefined ? "it gave no reason" : typeof reason === "string" ? reason : lib.messageOf(reason);
      if (lib.isRestoring()) {
        // What this turn has asked for would be gone with it.
        ops.exclusive(true);
        lib.onDurable(() => ops.abort(text));
        throw new Error(text);
      }
      ops.abort(text);
    }
  }
  lib.interface(DurableObjectState, { hidden: true });

  class DurableObject {
    constructor(ctx, env) {
      this.ctx = ctx;
      this.env = env;
    }
  }
  class WorkerEntrypoint {
    constructor(ctx, env) {
      this.ctx = ctx;
      this.env = env;
    }
  }
  lib.isEntrypoint = (value) => typeof value === "function" && value.prototype instanceof WorkerEntrypoint;

  // The object that this instance is, as an entry like `export default` of a service; null for a service.
  lib.newObject = (namespace, env, [className, text, version, name]) => {
    let Class = namespace[className];
    if (typeof Class !== "function") {
      ops.abort(`the module has no export class ${className}, which the configuration names`);
    }
    if (version !== null) Class = lib.workflowObject(Class, className, version);
    lib.hasAlarm = typeof Class.prototype?.alarm === "function";
    const state = new DurableObjectState(INTERNAL, new DurableObjectId(INTERNAL, "", text, name ?? undefined));
    constructing = [];
    let object;
    try {
      object = new Class(state, env);
    } catch (error) {
      ops.log(3, lib.stackOf(error));
      ops.abort(`the constructor of ${className} threw: ${lib.messageOf(error)}`);
      throw error;
    }
    const ready = constructing.length === 0 ? null : Promise.all(constructing);
    constructing = null;
    const afterwards = (run) => (ready === null ? run() : lib.then(ready, run));
    return {
      fetch: (request) => afterwards(() => {
        const method = request.headers.get(RPC);
        if (method !== null) return answerCall(object, Class, method, request);
        if (typeof object.fetch !== "function") throw new TypeError(`the class ${className} has no method fetch(request)`);
        return object.fetch(request);
      }),
      alarm: (info) => afterwards(() => {
        if (typeof object.alarm !== "function") throw new TypeError(`the class ${className} has no method alarm()`);
        return object.alarm(info);
      }),
    };
  };

  const PRIVATE = new Set(["constructor", "fetch", "alarm", "webSocketMessage", "webSocketClose", "webSocketError"]);

  async function answerCall(object, Class, method, request) {
    const reply = (kind, value) => new Response(pack(value), { headers: { [RPC]: kind } });
    try {
      const args = ops.deserialize(new Uint8Array(await request.arrayBuffer()));
      const run = methodOf(object, Class, method);
      return reply("value", await run.apply(object, args));
    } catch (error) {
      try {
        return reply("error", flatten(error));
      } catch {
        return reply("error", flatten(new Error(`${lib.messageOf(error)}`)));
      }
    }
  }

  // Only what the class declares can be called, not what the object happens to hold.
  function methodOf(object, Class, name) {
    if (!(object instanceof DurableObject)) {
      throw new TypeError(
        `The receiver does not support RPC, because its class ${Class.name} does not extend DurableObject: ` +
          'import { DurableObject } from "cloudflare:workers"',
      );
    }
    if (!PRIVATE.has(name)) {
      for (let proto = Object.getPrototypeOf(object); proto !== DurableObject.prototype && proto !== null; proto = Object.getPrototypeOf(proto)) {
        const found = Object.getOwnPropertyDescriptor(proto, name);
        if (typeof found?.value === "function") return found.value;
      }
    }
    throw new TypeError(`The RPC receiver does not implement the method "${name}".`);
  }

  lib.DurableObject = DurableObject;
  const workers = { DurableObject, WorkerEntrypoint };
  lib.modules["dacapo:workers"] = { ...workers };
  lib.modules["cloudflare:workers"] = workers;
})
