// What the engine adds to the platform library: random numbers, stack traces in source positions, the functions
// behind the probes, and the one function through which every event enters.
((ops, lib) => {
  "use strict";

  const call = Function.prototype.call;
  const uncurry = (method) => call.bind(method);
  const startsWith = uncurry(String.prototype.startsWith);
  const lastIndexOf = uncurry(String.prototype.lastIndexOf);
  const slice = uncurry(String.prototype.slice);
  const errorToString = uncurry(Error.prototype.toString);
  const getPrototypeOf = Object.getPrototypeOf;
  const { defineProperty } = Object;
  const RangeErrorPrototype = RangeError.prototype;
  const handlers = lib.handlers ?? {};
  const modules = lib.modules ?? {};
  const { setup, refill, cover } = lib.probes;
  delete lib.probes;

  const hide = (object, name, value) =>
    defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });

  // V8's own generator is seeded per isolate, and isolates are shared and used again.
  let numbers = undefined;
  let next = 0;
  const random = (() => {
    if (numbers === undefined || next === 64) {
      numbers ??= new Float64Array(64);
      ops.randomNumbers(numbers);
      next = 0;
    }
    return numbers[next++];
  }).bind(undefined);
  defineProperty(random, "name", { value: "random" });
  hide(Math, "random", random);

  // Threads, and what waits for them, would bring in the machine's timing.
  delete globalThis.SharedArrayBuffer;
  delete globalThis.ShadowRealm;
  delete Atomics.waitAsync;
  delete Atomics.wait;
  delete Atomics.pause;

  // The methods of V8's call sites, before any guest can patch them.
  Error.stackTraceLimit = 1;
  Error.prepareStackTrace = (_, sites) => sites;
  const site = getPrototypeOf(new Error().stack[0]);
  delete Error.prepareStackTrace;
  const fileOf = uncurry(site.getFileName);
  const lineOf = uncurry(site.getLineNumber);
  const columnOf = uncurry(site.getColumnNumber);
  const siteToString = uncurry(site.toString);

  const headOf = (error) => {
    try {
      return errorToString(error);
    } catch {
      return "Error";
    }
  };

  // The text of `error.stack`. Frames of the platform library are left out: they are none of the guest's business.
  const prepare = (error, sites) => {
    const custom = Error.prepareStackTrace;
    if (typeof custom === "function") return custom(error, sites);
    let text = headOf(error);
    for (let i = 0; i < sites.length; i++) {
      const file = fileOf(sites[i]);
      if (typeof file === "string" && startsWith(file, "dacapo:")) continue;
      let frame = siteToString(sites[i]);
      if (typeof file === "string" && startsWith(file, "app:///")) {
        const at = lastIndexOf(frame, file);
        const tail = slice(frame, -1) === ")" ? ")" : "";
        if (at >= 0) frame = slice(frame, 0, at) + ops.position(file, lineOf(sites[i]), columnOf(sites[i])) + tail;
      }
      text += `\n    at ${frame}`;
    }
    return text;
  };

  // The text of a function is what its author wrote.
  const functionToString = uncurry(Function.prototype.toString);
  const includes = uncurry(String.prototype.includes);
  const textOf = {
    toString() {
      const text = functionToString(this);
      return includes(text, "__dacapo$") ? ops.quote(text) : text;
    },
  }.toString;
  hide(Function.prototype, "toString", textOf);

  const caught = (error) => {
    if (typeof error !== "object" || error === null || getPrototypeOf(error) !== RangeErrorPrototype) return;
    if (error.message === "Maximum call stack size exceeded") {
      ops.overflowed();
      for (;;);
    }
  };

  const spent = () => {
    ops.spent();
    // The engine stops the guest at the next round.
    for (;;);
  };

  setup(spent, caught, modules);

  const enter = (budget, handler, a, b, c, d, e) => {
    refill(budget);
    return handler(a, b, c, d, e);
  };

  // V8 adds this property to every context that comes from a snapshot, and insists that it is new.
  delete Error.stackTraceLimit;
  // The flag --stack-trace-limit differs from this on purpose: see watch.rs.
  const begin = (parts) => {
    // V8 adds this one, too, to every context.
    delete globalThis.SharedArrayBuffer;
    Error.stackTraceLimit = 10;
    for (let i = 0; i < parts.length; i++) lib.use(parts[i]);
  };

  return { begin, enter, prepare, handlers, modules, cover };
})
