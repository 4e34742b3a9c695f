// AbortController and AbortSignal.
((ops, lib) => {
  "use strict";

  const { INTERNAL } = lib;

  let abort;
  let watch;
  let unwatch;
  let follow;

  class AbortSignal extends EventTarget {
    #aborted = false;
    #reason = undefined;
    // What the platform does on abort; runs before the event.
    #watchers = null;
    #followers = null;
    // Of a timeout: when, and the timer. The timer runs only while somebody would notice, so that the common
    // `fetch(url, { signal: AbortSignal.timeout(ms) })` leaves nothing behind when the answer came in time.
    #deadline = Infinity;
    #timer = 0;

    constructor(token) {
      if (token !== INTERNAL) throw new TypeError("Illegal constructor");
      super();
    }
    static {
      abort = (signal, reason) => {
        if (signal.#aborted) return;
        signal.#settle(reason);
        const followers = signal.#followers;
        signal.#followers = null;
        // All of them are aborted before any code of theirs runs.
        const due = followers === null ? [] : [...followers].filter((other) => !other.#aborted);
        for (const other of due) other.#settle(signal.#reason);
        signal.#run();
        for (const other of due) other.#run();
      };
      // Calls `callback` on abort. The signal must not be aborted.
      watch = (signal, callback) => {
        (signal.#watchers ??= new Set()).add(callback);
        signal.#arm();
      };
      unwatch = (signal, callback) => {
        signal.#watchers?.delete(callback);
        if (signal.#timer !== 0 && signal.#watchers.size === 0) signal.#disarm();
      };
      follow = (signal, source) => {
        (source.#followers ??= new Set()).add(signal);
        source.#arm();
      };
    }
    #settle(reason) {
      this.#aborted = true;
      this.#reason = reason === undefined ? new lib.DOMException("The operation was aborted", "AbortError") : reason;
      if (this.#timer !== 0) lib.clearTimer(this.#timer);
      this.#timer = 0;
      this.#deadline = Infinity;
    }
    #run() {
      const watchers = this.#watchers;
      this.#watchers = null;
      if (watchers !== null) for (const watcher of watchers) watcher();
      if (lib.listenerCount(this, "abort") > 0) lib.fire(this, new Event("abort"));
    }
    #arm() {
      if (this.#deadline === Infinity || this.#timer !== 0) return;
      this.#timer = lib.setTimer(
        () => {
          this.#timer = 0;
          abort(this, timeoutError());
        },
        Math.max(0, this.#deadline - ops.now()),
      );
    }
    #disarm() {
      if (this.#followers !== null || lib.listenerCount(this, "abort") > 0) return;
      lib.clearTimer(this.#timer);
      this.#timer = 0;
    }
    // A timeout that nobody waits for is noticed when somebody looks.
    #look() {
      if (this.#deadline !== Infinity && this.#timer === 0 && ops.now() >= this.#deadline) abort(this, timeoutError());
    }

    static abort(reason = undefined) {
      const signal = new AbortSignal(INTERNAL);
      abort(signal, reason);
      return signal;
    }
    static timeout(ms) {
      ms = Number(ms);
      if (!(ms >= 0 && ms <= Number.MAX_SAFE_INTEGER)) {
        throw new TypeError("AbortSignal.timeout: the time must be a number of milliseconds, 0 or more");
      }
      const signal = new AbortSignal(INTERNAL);
      signal.#deadline = ops.now() + Math.trunc(ms);
      return signal;
    }
    static any(signals) {
      const result = new AbortSignal(INTERNAL);
      const sources = [...signals];
      for (const source of sources) {
        if (!lib.isAbortSignal(source)) throw new TypeError("AbortSignal.any: not all of these are AbortSignals");
      }
      for (const source of sources) {
        if (source.aborted) {
          abort(result, source.reason);
          return result;
        }
      }
      for (const source of sources) follow(result, source);
      return result;
    }
    addEventListener(type, callback, options = undefined) {
      super.addEventListener(type, callback, options);
      if (lib.listenerCount(this, "abort") > 0) this.#arm();
    }
    get aborted() {
      this.#look();
      return this.#aborted;
    }
    get reason() {
      this.#look();
      return this.#reason;
    }
    throwIfAborted() {
      if (this.aborted) throw this.#reason;
    }
  }

  const timeoutError = () => new lib.DOMException("The operation timed out", "TimeoutError");

  lib.interface(AbortSignal);
  lib.eventHandler(AbortSignal.prototype, "abort");

  class AbortController {
    #signal = new AbortSignal(INTERNAL);
    get signal() {
      return this.#signal;
    }
    abort(reason = undefined) {
      abort(this.#signal, reason);
    }
  }
  lib.interface(AbortController);

  lib.isAbortSignal = (value) => value instanceof AbortSignal;
  lib.newSignal = () => new AbortSignal(INTERNAL);
  lib.abortSignal = abort;
  lib.onAbort = watch;
  lib.offAbort = unwatch;
  lib.followSignal = follow;
  lib.inspectAs(AbortSignal, (signal) => ({ aborted: signal.aborted }));
  lib.inspectAs(AbortController, (controller) => ({ signal: controller.signal }));
})
