// setTimeout, setInterval, and the timers of the platform itself.
((ops, lib) => {
  "use strict";

  // As in Node: a guest that re-arms a zero timer for ever shall not keep time from passing.
  const DELAY_MIN = 1;
  // As in browsers: the greatest number of 32 bits. What the platform itself waits for may be further away.
  const DELAY_MAX = 2 ** 31 - 1;

  const timers = new Map();
  let last = 0;

  const delayOf = (ms) => {
    ms = Math.trunc(Number(ms));
    return ms >= DELAY_MIN ? Math.min(ms, DELAY_MAX) : DELAY_MIN;
  };

  // Calls `callback` once after `ms`, which may be a fraction. For the platform's own use.
  lib.setTimer = (callback, ms) => {
    const id = ++last;
    timers.set(id, { callback, args: null, repeat: 0 });
    ops.setTimer(id, ms);
    return id;
  };

  // Calls back once all that was written so far is durable.
  lib.onDurable = (callback) => {
    const id = ++last;
    timers.set(id, { callback, args: null, repeat: 0 });
    ops.storageSync(id);
  };

  lib.clearTimer = (id) => {
    if (timers.delete(id)) ops.clearTimer(id);
  };

  // What a workload draws in a callback belongs to the round that has set the timer.
  function causeNow() {
    const cause = ops.within(undefined);
    ops.within(cause);
    return cause;
  }

  function start(callback, ms, args, repeats) {
    if (typeof callback !== "function") {
      // The standard also takes source text, which would be an eval in disguise.
      throw new TypeError("the callback of a timer must be a function");
    }
    const delay = delayOf(ms);
    const id = ++last;
    const timer = { callback, args, repeat: repeats ? delay : 0 };
    if (lib.decides === true) timer.cause = causeNow();
    timers.set(id, timer);
    ops.setTimer(id, delay);
    return id;
  }

  lib.handlers.timer = (id) => {
    const timer = timers.get(id);
    if (timer === undefined) return;
    if (timer.repeat === 0) timers.delete(id);
    const before = timer.cause === undefined ? undefined : ops.within(timer.cause);
    try {
      if (timer.args === null || timer.args.length === 0) (0, timer.callback)();
      else timer.callback.apply(undefined, timer.args);
    } catch (error) {
      lib.reportException(error);
    }
    if (timer.cause !== undefined) ops.within(before);
    if (timer.repeat !== 0 && timers.get(id) === timer) ops.setTimer(id, timer.repeat);
  };

  const clear = (id) => {
    if (id !== undefined && id !== null) lib.clearTimer(Number(id));
  };

  const globals = {
    setTimeout: (callback, ms = 0, ...args) => start(callback, ms, args, false),
    setInterval: (callback, ms = 0, ...args) => start(callback, ms, args, true),
    clearTimeout: (id) => clear(id),
    clearInterval: (id) => clear(id),
  };
  for (const [name, value] of Object.entries(globals)) lib.global(name, value);
})
