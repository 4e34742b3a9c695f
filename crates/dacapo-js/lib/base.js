// What the other files share: how names reach the guest, and the few built-ins that the platform must be able to
// trust after a guest has patched its own. Nothing here is visible to guests.
((ops, lib) => {
  "use strict";

  const { defineProperty, getOwnPropertyDescriptors } = Object;

  lib.parts ??= {};
  // Files that few need are kept as they are until an instance says, before any guest's code runs, that it does.
  lib.use = (part) => {
    const files = lib.parts[part];
    if (files === undefined) return;
    delete lib.parts[part];
    for (const file of files) file(ops, lib);
  };

  // Rust calls these.
  lib.handlers = {};
  // Modules that guests import by name: name → exports.
  lib.modules = {};
  // Bytes that a sender may be ahead of its reader.
  lib.WINDOW = 256 * 1024;
  // Given as first argument to a constructor, it says that the platform itself makes the object.
  lib.INTERNAL = Symbol("internal");

  // A guest that patches `then` (tracing libraries do) shall see its own promises only.
  lib.then = Function.prototype.call.bind(Promise.prototype.then);
  lib.resolved = Promise.resolve.bind(Promise);
  lib.rejected = Promise.reject.bind(Promise);
  lib.noop = () => {};
  lib.jsonParse = JSON.parse;

  // Defines a global as browsers do: writable, not enumerable.
  lib.global = (name, value) => {
    defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
  };

  // Makes a class a Web IDL interface: operations and attributes enumerable, a string tag, a global of its name.
  lib.interface = (cls, { hidden = false } = {}) => {
    for (const target of [cls, cls.prototype]) {
      for (const [key, descriptor] of Object.entries(getOwnPropertyDescriptors(target))) {
        if (key === "constructor" || key === "prototype" || key === "name" || key === "length") continue;
        if (descriptor.configurable) defineProperty(target, key, { enumerable: true });
      }
    }
    defineProperty(cls.prototype, Symbol.toStringTag, { value: cls.name, configurable: true });
    if (!hidden) lib.global(cls.name, cls);
    return cls;
  };

  // Read-only constants on an interface and its prototype.
  lib.constants = (cls, values) => {
    for (const [key, value] of Object.entries(values)) {
      defineProperty(cls, key, { value, enumerable: true });
      defineProperty(cls.prototype, key, { value, enumerable: true });
    }
  };

  // entries, keys, values, forEach and [Symbol.iterator] over pairs. `pairs(object)` gives the flat list as it is
  // now; it is asked again for every step, since guests may change what they iterate over.
  lib.pairIterable = (cls, pairs) => {
    const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
    const PairIterator = class {
      #object;
      #kind;
      #next = 0;
      constructor(object, kind) {
        this.#object = object;
        this.#kind = kind;
      }
      next() {
        const flat = pairs(this.#object);
        const at = this.#next;
        if (at >= flat.length) return { value: undefined, done: true };
        this.#next = at + 2;
        const value = this.#kind === 0 ? [flat[at], flat[at + 1]] : flat[at + this.#kind - 1];
        return { value, done: false };
      }
    };
    const iterator = PairIterator.prototype;
    delete iterator.constructor;
    Object.setPrototypeOf(iterator, IteratorPrototype);
    defineProperty(iterator, "next", { enumerable: true });
    defineProperty(iterator, Symbol.toStringTag, { value: `${cls.name} Iterator`, configurable: true });

    const methods = {
      entries() {
        pairs(this);
        return new PairIterator(this, 0);
      },
      keys() {
        pairs(this);
        return new PairIterator(this, 1);
      },
      values() {
        pairs(this);
        return new PairIterator(this, 2);
      },
      forEach(callback, thisArg = undefined) {
        pairs(this);
        if (typeof callback !== "function") throw new TypeError(`${cls.name}.forEach: the callback is not a function`);
        for (let at = 0; ; at += 2) {
          const flat = pairs(this);
          if (at >= flat.length) return;
          callback.call(thisArg, flat[at + 1], flat[at], this);
        }
      },
    };
    for (const [name, value] of Object.entries(methods)) {
      defineProperty(cls.prototype, name, { value, writable: true, enumerable: true, configurable: true });
    }
    defineProperty(cls.prototype, Symbol.iterator, { value: methods.entries, writable: true, configurable: true });
  };

  // Copies what a guest hands over, so that it cannot change it afterwards.
  lib.copyBytes = (value) => {
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
    return new Uint8Array(value).slice();
  };
  // The same without the copy.
  lib.viewBytes = (value, what) => {
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    if (lib.isBuffer(value)) return new Uint8Array(value);
    throw new TypeError(`${what} must be an ArrayBuffer or a view of one`);
  };
  lib.isBuffer = (value) =>
    value instanceof ArrayBuffer || (typeof SharedArrayBuffer === "function" && value instanceof SharedArrayBuffer);

  lib.concat = (chunks) => {
    if (chunks.length === 1) return chunks[0];
    let length = 0;
    for (let i = 0; i < chunks.length; i++) length += chunks[i].length;
    const all = new Uint8Array(length);
    let at = 0;
    for (let i = 0; i < chunks.length; i++) {
      all.set(chunks[i], at);
      at += chunks[i].length;
    }
    return all;
  };

  // The engine may replace it: called with every error of a guest that the platform catches and tells about. A stack
  // overflow must not pass unnoticed, since how deep a stack is depends on the machine.
  lib.caught = lib.noop;

  // The stack of an error with source positions; anything else as console.log would show it.
  lib.stackOf = (reason) => {
    lib.caught(reason);
    try {
      if (reason instanceof Error) {
        const stack = ops.stackOf(reason);
        if (typeof stack === "string" && stack !== "") return stack;
      }
      return lib.inspect(reason);
    } catch {
      return "(a thrown value that cannot be shown)";
    }
  };

  lib.messageOf = (reason) => {
    try {
      return reason instanceof Error ? `${reason.name}: ${reason.message}` : lib.inspect(reason);
    } catch {
      return "(a thrown value that cannot be shown)";
    }
  };
})
