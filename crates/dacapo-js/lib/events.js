// Event and its kinds, EventTarget, and the global object as one.
((ops, lib) => {
  "use strict";

  // Set by dispatch, so that guests can forge neither.
  let setTarget;
  let setCurrent;
  let setFlags;
  let flagsOf;

  class Event {
    #type;
    #bubbles;
    #cancelable;
    #composed;
    #target = null;
    #current = null;
    #canceled = false;
    // dispatching, stopped, passive
    #flags = { dispatching: false, stopped: false, passive: false, propagates: true, trusted: false };
    #time = ops.now();
    constructor(type, init = undefined) {
      if (arguments.length === 0) throw new TypeError("Event: a type is required");
      this.#type = `${type}`;
      this.#bubbles = Boolean(init?.bubbles);
      this.#cancelable = Boolean(init?.cancelable);
      this.#composed = Boolean(init?.composed);
    }
    static {
      setTarget = (event, target) => {
        event.#target = target;
      };
      setCurrent = (event, target) => {
        event.#current = target;
      };
      flagsOf = (event) => event.#flags;
      setFlags = (event, trusted) => {
        event.#flags.trusted = trusted;
      };
    }
    get type() {
      return this.#type;
    }
    get target() {
      return this.#target;
    }
    get srcElement() {
      return this.#target;
    }
    get currentTarget() {
      return this.#current;
    }
    composedPath() {
      return this.#current === null ? [] : [this.#current];
    }
    get eventPhase() {
      return this.#flags.dispatching ? 2 : 0;
    }
    stopPropagation() {
      this.#flags.propagates = false;
    }
    get cancelBubble() {
      return !this.#flags.propagates;
    }
    set cancelBubble(value) {
      if (value) this.#flags.propagates = false;
    }
    stopImmediatePropagation() {
      this.#flags.propagates = false;
      this.#flags.stopped = true;
    }
    get bubbles() {
      return this.#bubbles;
    }
    get cancelable() {
      return this.#cancelable;
    }
    get returnValue() {
      return !this.#canceled;
    }
    set returnValue(value) {
      if (!value) this.preventDefault();
    }
    preventDefault() {
      if (this.#cancelable && !this.#flags.passive) this.#canceled = true;
    }
    get defaultPrevented() {
      return this.#canceled;
    }
    get composed() {
      return this.#composed;
    }
    get isTrusted() {
      return this.#flags.trusted;
    }
    get timeStamp() {
      return this.#time;
    }
    initEvent(type, bubbles = false, cancelable = false) {
      if (this.#flags.dispatching) return;
      this.#type = `${type}`;
      this.#bubbles = Boolean(bubbles);
      this.#cancelable = Boolean(cancelable);
      this.#canceled = false;
    }
  }
  lib.interface(Event);
  lib.constants(Event, { NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 });

  class CustomEvent extends Event {
    #detail;
    constructor(type, init = undefined) {
      super(type, init);
      this.#detail = init?.detail ?? null;
    }
    get detail() {
      return this.#detail;
    }
  }
  lib.interface(CustomEvent);

  class ErrorEvent extends Event {
    #init;
    constructor(type, init = undefined) {
      super(type, init);
      this.#init = {
        message: `${init?.message ?? ""}`,
        filename: `${init?.filename ?? ""}`,
        lineno: Number(init?.lineno ?? 0),
        colno: Number(init?.colno ?? 0),
        error: init?.error,
      };
    }
    get message() {
      return this.#init.message;
    }
    get filename() {
      return this.#init.filename;
    }
    get lineno() {
      return this.#init.lineno;
    }
    get colno() {
      return this.#init.colno;
    }
    get error() {
      return this.#init.error;
    }
  }
  lib.interface(ErrorEvent);

  class PromiseRejectionEvent extends Event {
    #promise;
    #reason;
    constructor(type, init) {
      super(type, init);
      if (init?.promise === undefined) throw new TypeError("PromiseRejectionEvent: init.promise is required");
      this.#promise = init.promise;
      this.#reason = init.reason;
    }
    get promise() {
      return this.#promise;
    }
    get reason() {
      return this.#reason;
    }
  }
  lib.interface(PromiseRejectionEvent);

  class MessageEvent extends Event {
    #init;
    constructor(type, init = undefined) {
      super(type, init);
      this.#init = {
        data: init?.data ?? null,
        origin: `${init?.origin ?? ""}`,
        lastEventId: `${init?.lastEventId ?? ""}`,
        source: init?.source ?? null,
        ports: Object.freeze([...(init?.ports ?? [])]),
      };
    }
    get data() {
      return this.#init.data;
    }
    get origin() {
      return this.#init.origin;
    }
    get lastEventId() {
      return this.#init.lastEventId;
    }
    get source() {
      return this.#init.source;
    }
    get ports() {
      return this.#init.ports;
    }
  }
  lib.interface(MessageEvent);

  // Calls the listeners of `target` for the event.
  let invoke;
  let listenerCount;

  // Methods of EventTarget called without an object mean the global one.
  let globalTarget = null;
  const orGlobal = (target) => (target === undefined || target === null || target === globalThis ? globalTarget : target);

  class EventTarget {
    // type → [{ callback, capture, once, passive, removed }]
    #listeners = null;
    static {
      invoke = (target, event, visible) => {
        const list = target.#listeners?.get(event.type);
        if (list === undefined) return;
        const flags = flagsOf(event);
        for (const listener of list.slice()) {
          if (listener.removed) continue;
          if (listener.once) remove(list, listener);
          flags.passive = listener.passive;
          try {
            if (typeof listener.callback === "function") {
              listener.callback.call(visible, event);
            } else {
              listener.callback.handleEvent(event);
            }
          } catch (error) {
            lib.reportException(error);
          }
          flags.passive = false;
          if (flags.stopped) return;
        }
      };
      listenerCount = (target, type) => target.#listeners?.get(type)?.length ?? 0;
    }
    addEventListener(type, callback, options = undefined) {
      const self = orGlobal(this);
      type = `${type}`;
      if (callback === null || callback === undefined) return;
      if (typeof callback !== "function" && typeof callback !== "object") {
        throw new TypeError("addEventListener: the listener is neither a function nor an object");
      }
      const isObject = typeof options === "object" && options !== null;
      const capture = Boolean(isObject ? options.capture : options);
      const signal = isObject ? options.signal : undefined;
      if (signal !== undefined) {
        if (!lib.isAbortSignal(signal)) throw new TypeError("addEventListener: options.signal is not an AbortSignal");
        if (signal.aborted) return;
      }
      self.#listeners ??= new Map();
      let list = self.#listeners.get(type);
      if (list === undefined) self.#listeners.set(type, (list = []));
      if (list.some((other) => other.callback === callback && other.capture === capture)) return;
      const listener = {
        callback,
        capture,
        once: Boolean(isObject && options.once),
        passive: Boolean(isObject && options.passive),
        removed: false,
      };
      list.push(listener);
      if (signal !== undefined) lib.onAbort(signal, () => remove(list, listener));
    }
    removeEventListener(type, callback, options = undefined) {
      const self = orGlobal(this);
      const list = self.#listeners?.get(`${type}`);
      if (list === undefined) return;
      const capture = Boolean(typeof options === "object" && options !== null ? options.capture : options);
      const listener = list.find((other) => other.callback === callback && other.capture === capture);
      if (listener !== undefined) remove(list, listener);
    }
    dispatchEvent(event) {
      if (!(event instanceof Event)) throw new TypeError("dispatchEvent: the argument is not an Event");
      if (flagsOf(event).dispatching) {
        throw new lib.DOMException("The event is already being dispatched", "InvalidStateError");
      }
      setFlags(event, false);
      return dispatch(orGlobal(this), event);
    }
  }

  function remove(list, listener) {
    listener.removed = true;
    const at = list.indexOf(listener);
    if (at !== -1) list.splice(at, 1);
  }

  function dispatch(target, event) {
    const flags = flagsOf(event);
    const visible = target === globalTarget ? globalThis : target;
    flags.dispatching = true;
    setTarget(event, visible);
    setCurrent(event, visible);
    if (!flags.stopped && flags.propagates) invoke(target, event, visible);
    setCurrent(event, null);
    flags.dispatching = false;
    flags.stopped = false;
    flags.propagates = true;
    return !event.defaultPrevented;
  }
  lib.interface(EventTarget);

  // Fires an event of the platform's own.
  lib.fire = (target, event) => {
    setFlags(event, true);
    return dispatch(target, event);
  };
  lib.listenerCount = listenerCount;

  // Defines `on…` on a prototype, or on the global object, whose events the hidden `fixed` target has.
  lib.eventHandler = (object, type, fixed = null, call = (handler, target, event) => handler.call(target, event)) => {
    const handlers = new WeakMap();
    Object.defineProperty(object, `on${type}`, {
      get() {
        return handlers.get(fixed ?? this)?.value ?? null;
      },
      set(value) {
        const target = fixed ?? this;
        const usable = typeof value === "function" || (typeof value === "object" && value !== null) ? value : null;
        const known = handlers.get(target);
        if (known !== undefined) {
          known.value = usable;
          return;
        }
        if (usable === null) return;
        const handler = { value: usable };
        handlers.set(target, handler);
        target.addEventListener(type, function (event) {
          if (typeof handler.value === "function") call(handler.value, this, event);
        });
      },
      enumerable: true,
      configurable: true,
    });
  };

  globalTarget = new EventTarget();
  lib.globalTarget = globalTarget;
  for (const name of ["addEventListener", "removeEventListener", "dispatchEvent"]) {
    lib.global(name, EventTarget.prototype[name]);
  }
  lib.eventHandler(globalThis, "error", globalTarget, (handler, target, event) => {
    // The one handler with arguments of its own; true means handled.
    const { message, filename, lineno, colno, error } = event;
    if (handler.call(target, message, filename, lineno, colno, error) === true) event.preventDefault();
  });
  lib.eventHandler(globalThis, "unhandledrejection", globalTarget);
  lib.eventHandler(globalThis, "rejectionhandled", globalTarget);

  // An exception that no guest code caught: the guest may handle it, else it is logged.
  let reporting = false;
  lib.reportException = (error) => {
    // An error handler that fails must not be told of its own failure.
    if (!reporting && lib.listenerCount(globalTarget, "error") > 0) {
      reporting = true;
      let unhandled = true;
      try {
        unhandled = lib.fire(
          globalTarget,
          new ErrorEvent("error", { cancelable: true, message: `Uncaught ${lib.messageOf(error)}`, error }),
        );
      } finally {
        reporting = false;
      }
      if (!unhandled) return;
    }
    ops.log(3, `Uncaught ${lib.stackOf(error)}`);
  };
  lib.handlers.error = (reason) => lib.reportException(reason);

  lib.handlers.rejection = (promise, reason, handled) => {
    const type = handled ? "rejectionhandled" : "unhandledrejection";
    let unhandled = true;
    if (listenerCount(globalTarget, type) > 0) {
      unhandled = lib.fire(globalTarget, new PromiseRejectionEvent(type, { cancelable: !handled, promise, reason }));
    }
    if (!handled && unhandled) ops.log(3, `Uncaught (in promise) ${lib.stackOf(reason)}`);
  };

  lib.global("reportError", function reportError(error) {
    if (arguments.length === 0) throw new TypeError("reportError: an argument is required");
    lib.reportException(error);
  });

  lib.inspectAs(Event, (event) => ({
    type: event.type,
    defaultPrevented: event.defaultPrevented,
    cancelable: event.cancelable,
    timeStamp: event.timeStamp,
  }));
  lib.inspectAs(EventTarget, () => ({}));
})
