// Globals that are too small for a file of their own.
((ops, lib) => {
  "use strict";

  const { INTERNAL } = lib;
  const { EventTarget, File, Headers, TransformStream, URL, URLSearchParams, WritableStream } = globalThis;

  lib.global("self", globalThis);

  class Navigator {
    constructor(token) {
      if (token !== INTERNAL) throw new TypeError("Illegal constructor");
    }
    // All of these are the same on every machine.
    get userAgent() {
      return "Dacapo";
    }
    get language() {
      return "en-US";
    }
    get languages() {
      return Object.freeze(["en-US"]);
    }
    get hardwareConcurrency() {
      return 1;
    }
    get onLine() {
      return true;
    }
  }
  lib.interface(Navigator);
  lib.global("navigator", new Navigator(INTERNAL));

  let origin = null;
  class Performance extends EventTarget {
    constructor(token) {
      if (token !== INTERNAL) throw new TypeError("Illegal constructor");
      super();
    }
    now() {
      return ops.now();
    }
    get timeOrigin() {
      // Asked for at the start of the instance, so that a clock that jumps later does not move it.
      return (origin ??= Date.now() - ops.now());
    }
    toJSON() {
      return { timeOrigin: this.timeOrigin };
    }
  }
  lib.interface(Performance);
  lib.global("performance", new Performance(INTERNAL));
  lib.onStart = () => void performance.timeOrigin;

  const settled = lib.resolved();
  lib.global("queueMicrotask", function queueMicrotask(callback) {
    if (typeof callback !== "function") throw new TypeError("queueMicrotask: the argument is not a function");
    lib.then(settled, () => {
      try {
        callback();
      } catch (error) {
        lib.reportException(error);
      }
    });
  });

  const opaque = (value) =>
    lib.isRequest(value) || lib.isResponse(value) || value instanceof Headers || value instanceof URL ||
    value instanceof URLSearchParams || lib.isFormData(value) || value instanceof EventTarget ||
    lib.isReadable(value) || value instanceof WritableStream || value instanceof TransformStream;

  lib.global("structuredClone", function structuredClone(value, options = undefined) {
    if (arguments.length === 0) throw new TypeError("structuredClone: an argument is required");
    if (typeof value === "object" && value !== null) {
      // The native operation does not know the platform's own classes. Blobs never change, so they may be shared.
      if (lib.isFile(value)) return new File([value], value.name, { type: value.type, lastModified: value.lastModified });
      if (lib.isBlob(value)) return value.slice(0, value.size, value.type);
      if (value instanceof lib.DOMException) return new lib.DOMException(value.message, value.name);
      if (opaque(value)) {
        throw new lib.DOMException(`${lib.inspect(value, { depth: -1 })} cannot be cloned`, "DataCloneError");
      }
    }
    const transfer = options?.transfer === undefined ? [] : [...options.transfer];
    try {
      return ops.clone(value, transfer);
    } catch (error) {
      if (error?.name !== "DataCloneError") throw error;
      throw new lib.DOMException(error.message, "DataCloneError");
    }
  });
})
