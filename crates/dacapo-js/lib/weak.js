// WeakRef and FinalizationRegistry that do not show when the garbage collector ran: that depends on the machine, and
// a run must not. A WeakRef holds its target, and a FinalizationRegistry never calls back; both are allowed by the
// language, which promises no collection. The price is that what only a WeakRef knows stays in memory.
((ops, lib) => {
  "use strict";

  const holdable = (value) =>
    (typeof value === "object" && value !== null) ||
    typeof value === "function" ||
    (typeof value === "symbol" && Symbol.keyFor(value) === undefined);

  class WeakRef {
    #target;
    constructor(target) {
      if (!holdable(target)) throw new TypeError("WeakRef: the target must be an object or a unique symbol");
      this.#target = target;
    }
    deref() {
      return this.#target;
    }
  }

  class FinalizationRegistry {
    // Only for what unregister returns. A WeakMap shows nobody what it holds.
    #tokens = new WeakMap();
    constructor(cleanup) {
      if (typeof cleanup !== "function") throw new TypeError("FinalizationRegistry: the callback is not a function");
    }
    register(target, held, token = undefined) {
      if (!holdable(target)) throw new TypeError("FinalizationRegistry: the target must be an object or a unique symbol");
      if (target === held) throw new TypeError("FinalizationRegistry: the target and the held value must differ");
      if (token === undefined) return;
      if (!holdable(token)) throw new TypeError("FinalizationRegistry: the token must be an object or a unique symbol");
      this.#tokens.set(token, true);
    }
    unregister(token) {
      if (!holdable(token)) throw new TypeError("FinalizationRegistry: the token must be an object or a unique symbol");
      return this.#tokens.delete(token);
    }
  }

  for (const cls of [WeakRef, FinalizationRegistry]) {
    Object.defineProperty(cls.prototype, Symbol.toStringTag, { value: cls.name, configurable: true });
    lib.global(cls.name, cls);
  }
})
