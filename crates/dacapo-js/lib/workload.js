// Runs a scenario's workload through its phases: setup, drive, heal, judge.
((ops, lib) => {
  "use strict";

  const { handlers } = lib;
  const ALWAYS = 0;
  // Between two rounds of invariants.
  const INVARIANT_PAUSE = 250;
  // How long drivers may take for their last round once nothing fails any more.
  const LAST_ROUND_MAX = 120_000;
  // Failures of fetch that no fault explains: the configuration is wrong.
  const NEVER_FAULTS = ["denied", "unknown"];
  const { log } = Math;

  let workload = null;
  let phase = null;
  let round = 0;
  // What is running, by label ("driver transfer"): how many.
  const running = new Map();
  // Clients between two rounds: timer → resolve.
  const pausing = new Map();
  // What to do when nothing is running any more.
  let whenIdle = null;
  // label → { rounds, failures }
  const tally = new Map();

  function violation(label, error) {
    ops.check(ALWAYS, false, `${label}: ${summary(error)}`, lib.stackOf(error));
  }

  // The first line names the check; what follows differs from run to run and belongs to the details.
  function summary(error) {
    let text;
    try {
      text = error instanceof Error ? `${error.message}` : lib.inspect(error);
    } catch {
      text = "threw something that cannot be shown";
    }
    return text.split("\n", 1)[0] || "failed";
  }

  // Whether faults explain that this was thrown.
  function expected(error) {
    if (lib.isNetworkFailure(error)) return !NEVER_FAULTS.includes(error.code);
    // An object came to its end: crashes, failing disks and evictions do that.
    if (error instanceof Error && error.durableObjectReset === true) return true;
    return error instanceof lib.DOMException && (error.name === "AbortError" || error.name === "TimeoutError");
  }

  // Think times are exponential, as of people who do not wait for each other.
  const thinkTime = (mean) => -log(1 - lib.draw()) * mean;

  function pause(ms) {
    return new Promise((resolve) => {
      const timer = lib.setTimer(() => {
        pausing.delete(timer);
        resolve();
      }, ms);
      pausing.set(timer, resolve);
    });
  }

  function context(client, count) {
    return {
      client,
      round: count,
      get running() {
        return phase === "drive";
      },
      waitUntil: (promise) => void lib.then(lib.resolved(promise), lib.noop, (error) => violation("waitUntil", error)),
    };
  }

  // What `run` draws is about `cause`, wherever it goes on. Only asked for if somebody wants to know.
  function within(cause, run, ctx) {
    if (lib.decides !== true) return run(lib.env, ctx);
    const before = ops.within(cause);
    try {
      return run(lib.env, ctx);
    } finally {
      ops.within(before);
    }
  }

  // Runs one round of a driver, an invariant.
  async function attempt(label, run, ctx, cause = label) {
    let count = tally.get(label);
    if (count === undefined) tally.set(label, (count = { rounds: 0, failures: 0 }));
    running.set(label, (running.get(label) ?? 0) + 1);
    count.rounds++;
    try {
      await within(cause, run, ctx);
    } catch (error) {
      if (expected(error)) count.failures++;
      else violation(label, error);
    }
    const left = running.get(label) - 1;
    if (left > 0) running.set(label, left);
    else running.delete(label);
    if (running.size === 0) whenIdle?.();
  }

  async function client(name, driver, number) {
    const label = `driver ${name}`;
    const own = lib.decides === true ? ops.clientName(name, number) : null;
    for (let count = 0; own === null || ops.hasRound(own); count++) {
      const wait = thinkTime(driver.pause);
      const isAtOnce = count === 0 && own !== null && ops.areAtOnce();
      if (!isAtOnce) await pause(own === null ? wait : ops.pause(own, wait, driver.pause));
      if (phase !== "drive") return;
      // A round may be taken away; then it was only waited for.
      if (own !== null && !ops.round(own)) continue;
      await attempt(label, driver.run, context(number, count), own === null ? label : ops.roundName(own, count + 1));
      if (phase !== "drive") return;
    }
  }

  async function watch(invariants) {
    for (;;) {
      await pause(INVARIANT_PAUSE);
      for (const [name, run] of invariants) {
        if (phase !== "drive") return;
        await attempt(`invariant ${name}`, run, context(0, round));
      }
      if (phase !== "drive") return;
      round++;
    }
  }

  // The functions of an export, or a violation that says what is wrong with it.
  function named(what) {
    const group = workload?.[what];
    if (group === undefined) return [];
    if (typeof group !== "object" || group === null) {
      violation(what, new TypeError(`export const ${what} must be an object of functions`));
      return [];
    }
    return Object.entries(group);
  }

  // The drivers that this run does not do without.
  function driversLeft() {
    const all = named("drivers");
    if (lib.decides !== true) return all;
    return ops.driversLeft(all.map(([name]) => name)).map((index) => all[index]);
  }

  async function once(label, run) {
    try {
      if (typeof run !== "function") throw new TypeError("is not a function");
      await within(label, run, context(0, 0));
    } catch (error) {
      violation(label, error);
    }
  }

  const phases = {
    async setup() {
      if (workload?.setup !== undefined) await once("setup", workload.setup);
      ops.phaseDone();
    },

    drive() {
      for (const [name, value] of driversLeft()) {
        const label = `driver ${name}`;
        let driver;
        try {
          driver = lib.driverOf(value);
        } catch (error) {
          violation(label, error);
          continue;
        }
        for (let number = 0; number < driver.clients; number++) client(name, driver, number);
      }
      const invariants = named("invariants").filter(([name, run]) => {
        if (typeof run === "function") return true;
        violation(`invariant ${name}`, new TypeError("is not a function"));
        return false;
      });
      if (invariants.length > 0) watch(invariants);
    },

    heal() {
      const wake = [...pausing];
      pausing.clear();
      for (const [timer, resolve] of wake) {
        lib.clearTimer(timer);
        resolve();
      }
      const report = () => {
        whenIdle = null;
        for (const [label, { rounds, failures }] of tally) {
          ops.log(0, `${label}: ${rounds} rounds, ${failures} ended by a failed fetch`);
        }
        ops.phaseDone();
      };
      if (running.size === 0) {
        report();
        return;
      }
      const timer = lib.setTimer(() => {
        for (const [label, count] of running) {
          const error = new Error("does not end");
          error.stack = `${count} of its rounds still run ${LAST_ROUND_MAX / 1000} s after the last fault; a fetch may hang for ever: give it a signal, AbortSignal.timeout(ms)`;
          violation(label, error);
        }
        report();
      }, LAST_ROUND_MAX);
      whenIdle = () => {
        lib.clearTimer(timer);
        report();
      };
    },

    async judge() {
      for (const [name, run] of named("judgments")) await once(`judgment ${name}`, run);
      ops.phaseDone();
    },
  };

  lib.enterPhase = (name, namespace) => {
    workload = namespace;
    phase = name;
    phases[name]?.();
  };
})
