// One run of a workflow: the guest's code on one side, the history of what it has observed on the other.
//
// The history is a list of two kinds of entries. *Commands* are what the code asked for (a step, a sleep, a wait, a
// patch); *observations* are what it was told (a result, an error, an event, an update). Observations are handed out
// one at a time, each once the code has done all that it does because of the one before. So the code sees the same on
// every run, and where it asks for something else than the history has at that place, it has been changed.
((ops, lib) => {
  "use strict";

  const { Date, Map, Object, Promise, Set, TypeError } = globalThis;
  const { METHODS, STEPS_MAX, isCommand, named, pack, tell } = lib.workflows;

  // How long code may wait for something else than a step while its history is fed to it, in milliseconds.
  const PATIENCE = 10_000;

  // `host` keeps the history and knows the time: see workflow.js.
  class Run {
    #host;
    // The whole history by number, and in order what the code takes part in.
    #entries = new Map();
    #order = [];
    #at = 0;
    #taken = new Set();
    // Steps that have failed and are tried again: number of the command → { attempts, next, error }.
    #retries;
    #open = new Map();
    #counts = new Map();
    #total = 0;
    #patched = new Map();
    // What has happened and was not told to the code yet.
    #ready = [];
    #pumping = false;
    #stuck = null;
    #isLive = false;
    #isOver = false;
    #asking = false;
    #whenLive = [];
    #object;
    // Callbacks of steps that run.
    active = 0;
    // Where the code has asked for something else than the history has.
    mismatch = null;

    constructor(host, history, retries, object) {
      this.#host = host;
      this.#retries = retries;
      this.#object = object;
      for (const [seq, entry] of history) {
        entry.seq = seq;
        this.#entries.set(seq, entry);
        this.#order.push(entry);
      }
    }

    get isLive() {
      return this.#isLive;
    }
    get isOver() {
      return this.#isOver;
    }
    get isBusy() {
      return !this.#isOver && (this.active > 0 || this.#pumping || this.#ready.length > 0 || !this.#isLive);
    }

    start(event) {
      const finish = (entry) => this.#finish(entry);
      const failed = (error) => {
        ops.log(2, `the workflow threw: ${lib.stackOf(error)}`);
        finish({ kind: "thrown", error: lib.flatten(error) });
      };
      let promise;
      try {
        promise = lib.resolved(this.#object.run(event, new lib.WorkflowStep(lib.INTERNAL, this)));
      } catch (error) {
        promise = lib.rejected(error);
      }
      lib.then(
        promise,
        (value) => {
          try {
            finish({ kind: "end", value: pack(value, "what run() returned") });
          } catch (error) {
            failed(error);
          }
        },
        failed,
      );
      this.#pumpSoon();
    }

    // Nothing of this run is heard any more.
    stop() {
      this.#isOver = true;
      if (this.#stuck !== null) lib.clearTimer(this.#stuck);
      for (const step of this.#open.values()) step.cancel?.();
      this.#open.clear();
      this.#ready = [];
      this.#settleWaiters();
    }

    // The earliest time at which something is due; null if nothing is.
    get due() {
      let due = null;
      for (const step of this.#open.values()) {
        if (step.due !== null && (due === null || step.due < due) && !step.isTold) due = step.due;
      }
      return due;
    }

    // Time has passed, an event has come, or the workflow goes on after a pause.
    tick() {
      if (this.#isOver || !this.#isLive || this.#host.isPaused) return;
      const now = Date.now();
      for (const step of this.#open.values()) {
        if (step.isTold) continue;
        if (step.kind === "do") {
          if (!step.isRunning && (step.due === null || step.due <= now)) this.#attempt(step);
        } else if (step.kind === "wait" && this.#takeEvent(step)) {
          continue;
        } else if (step.due <= now) {
          this.#tell(step, () => ({ kind: step.kind === "wait" ? "timeout" : "woken", step: step.seq, at: now }));
        }
      }
      this.#pumpSoon();
    }

    // Runs `callback` once the history has been fed; rejects if that fails.
    afterReplay() {
      if (this.#isLive || this.#isOver) return lib.resolved();
      return new Promise((resolve) => this.#whenLive.push(resolve));
    }

    query(name, args) {
      this.#asking = true;
      try {
        const value = this.#method(name).apply(this.#object, args);
        if (ops.isPromise(value)) {
          lib.then(value, lib.noop, lib.noop);
          throw new TypeError(`the query "${name}" gave a promise, but a query answers at once: it changes nothing and waits for nothing`);
        }
        return value;
      } finally {
        this.#asking = false;
      }
    }

    // Calls a method of the workflow, as a part of its history.
    update(name, args) {
      this.#method(name);
      return new Promise((resolve, reject) => {
        this.#ready.push({ make: () => ({ kind: "update", name, args: pack(args, `the arguments of the update "${name}"`), at: Date.now() }), resolve, reject });
        this.#pumpSoon();
      });
    }

    #method(name) {
      for (let proto = Object.getPrototypeOf(this.#object); proto !== null && proto !== lib.WorkflowEntrypoint.prototype; proto = Object.getPrototypeOf(proto)) {
        const found = Object.getOwnPropertyDescriptor(proto, name);
        if (name !== "constructor" && name !== "run" && typeof found?.value === "function") return found.value;
      }
      throw new TypeError(`the workflow has no method "${name}"`);
    }

    // The code asks for something. Gives the step, or null if nothing may come of it.
    command(kind, name, fields) {
      if (this.#isOver) return null;
      if (this.#asking) throw new TypeError(`${METHODS[kind]}("${name}"): a query must not take steps; use update()`);
      const count = (this.#counts.get(name) ?? 0) + 1;
      if (++this.#total > STEPS_MAX) {
        throw named("WorkflowFatalError", `a workflow has at most ${STEPS_MAX} steps: "${name}" would be one more`);
      }
      this.#counts.set(name, count);
      let entry = { kind, name, count, at: Date.now(), ...fields(), place: ops.place() };
      if (this.#at < this.#order.length) {
        const found = this.#expected((other) => other.kind === kind && other.name === name && other.count === count);
        if (found === null) {
          this.#mismatch(tell(entry, this.#entries));
          return null;
        }
        entry = found;
      } else {
        this.#append(entry);
      }
      const step = {
        kind, name, count, seq: entry.seq, entry, due: entry.until ?? null, type: entry.type,
        isRunning: false, isTold: false, attempts: 0, cancel: null, resolve: null, reject: null,
      };
      const retry = this.#retries.get(entry.seq);
      if (retry !== undefined) [step.attempts, step.due] = [retry.attempts, retry.next];
      this.#open.set(entry.seq, step);
      return step;
    }

    // The step has been set up: what it needs is there.
    begin(step) {
      const promise = new Promise((resolve, reject) => {
        step.resolve = resolve;
        step.reject = reject;
      });
      if (this.#isLive) {
        this.#host.wake();
        this.tick();
      } else {
        this.#pumpSoon();
      }
      return promise;
    }

    // Whether the code has what this name stands for: true in runs that come here for the first time, and in those that
    // did so with it. Whatever the first answer of a run was, it stays.
    patched(name) {
      if (this.#isOver) return true;
      if (this.#asking) throw new TypeError(`step.patched("${name}"): a query must not take steps`);
      let answer = this.#patched.get(name);
      if (answer === undefined) {
        answer = true;
        if (this.#at === this.#order.length) this.#append({ kind: "patch", name, at: Date.now(), place: ops.place() });
        else answer = this.#expected((other) => other.kind === "patch" && other.name === name) !== null;
        this.#patched.set(name, answer);
      }
      return answer;
    }

    // Takes a command out of those that the history has here, before the next observation.
    #expected(matches) {
      for (let at = this.#at; at < this.#order.length && isCommand(this.#order[at]); at++) {
        const entry = this.#order[at];
        if (this.#taken.has(entry.seq) || !matches(entry)) continue;
        this.#taken.add(entry.seq);
        this.#skipTaken();
        return entry;
      }
      return null;
    }
    #skipTaken() {
      while (this.#at < this.#order.length && this.#taken.delete(this.#order[this.#at].seq)) this.#at++;
      this.#pumpSoon();
    }

    #append(entry) {
      entry.seq = this.#host.append(entry);
      this.#entries.set(entry.seq, entry);
      this.#order.push(entry);
      this.#at = this.#order.length;
      return entry;
    }

    // Goes on once the code has done all that it can.
    #pumpSoon() {
      if (this.#pumping || this.#isOver) return;
      this.#pumping = true;
      lib.afterDrained(() => {
        this.#pumping = false;
        this.#pump();
      });
    }

    #pump() {
      if (this.#isOver) return;
      if (this.#at < this.#order.length) {
        const entry = this.#order[this.#at];
        if (entry.kind === "end" || entry.kind === "thrown") {
          // The last entry is the code's own to make.
          this.#waitForCode(this.#at);
        } else if (!isCommand(entry)) {
          this.#at++;
          this.#deliver(entry);
          this.#skipTaken();
        } else if (entry.kind === "patch") {
          // The code asks no more, as if it always had the patch.
          this.#at++;
          this.#skipTaken();
        } else {
          this.#waitForCode(this.#at);
        }
        return;
      }
      if (!this.#isLive) {
        this.#isLive = true;
        this.#settleWaiters();
        if (this.#open.size > 0) this.#host.wake();
        this.tick();
        this.#pumpSoon();
        return;
      }
      const next = this.#ready.shift();
      if (next !== undefined) {
        this.#tellNow(next);
        this.#pumpSoon();
        return;
      }
      this.#host.quiet();
    }

    #settleWaiters() {
      const waiting = this.#whenLive;
      this.#whenLive = [];
      for (const resolve of waiting) resolve();
    }

    // The history has something here that the code has not asked for, and the code has nothing more to do.
    #waitForCode(at) {
      if (this.#stuck !== null) return;
      this.#stuck = lib.setTimer(() => {
        this.#stuck = null;
        if (this.#at === at && !this.#isOver) {
          this.#mismatch(this.#open.size === 0 ? "it waits for something that is no step" : this.#waitsFor());
        } else if (this.#at < this.#order.length && !this.#isOver) {
          this.#pumpSoon();
        }
      }, PATIENCE);
    }
    #waitsFor() {
      const steps = [...this.#open.values()].map((step) => tell(step.entry, this.#entries));
      return `it waits for ${steps.join(" and ")}, and asks for nothing more`;
    }

    #mismatch(code) {
      const entry = this.#order[this.#at];
      const name = (entry.name ?? this.#entries.get(entry.step)?.name) ?? null;
      this.mismatch = { entry: entry.seq, history: tell(entry, this.#entries), code, name };
      this.stop();
      this.#host.mismatch(this.mismatch);
    }

    #finish(entry) {
      if (this.#isOver) return;
      if (this.#at < this.#order.length) {
        while (this.#order[this.#at]?.t === "patch") this.#at++;
        const expected = this.#order[this.#at];
        if (expected === undefined) return this.#finish(entry);
        if (expected.kind !== "end" && expected.kind !== "thrown") {
          this.#mismatch(entry.kind === "end" ? "run() returned" : `run() threw ${entry.error.name}: ${entry.error.message}`);
          return;
        }
        if (expected.kind !== entry.kind) {
          this.#mismatch(entry.kind === "end" ? "run() returned" : `run() threw ${entry.error.name}: ${entry.error.message}`);
          return;
        }
        this.#isLive = true;
        this.stop();
        this.#host.ended(expected);
        return;
      }
      entry.at = Date.now();
      this.#append(entry);
      this.#isLive = true;
      this.stop();
      this.#host.ended(entry);
    }

    // Something has happened to a step: the code is told in its turn.
    #tell(step, make) {
      step.isTold = true;
      this.#ready.push({ step, make });
      this.#pumpSoon();
    }
    #tellNow({ step, make, resolve, reject }) {
      if (step !== undefined && !this.#open.has(step.seq)) return;
      let entry;
      try {
        entry = this.#append(make());
        if (step?.attempts > 0) this.#host.retry(step.seq, null);
      } catch (error) {
        reject?.(error);
        return;
      }
      this.#deliver(entry, resolve, reject);
    }

    #deliver(entry, resolve = lib.noop, reject = lib.noop) {
      if (entry.kind === "update") return this.#callUpdate(entry, resolve, reject);
      const step = this.#open.get(entry.step);
      this.#open.delete(entry.step);
      switch (entry.kind) {
        case "done": return step.resolve(ops.deserialize(entry.value));
        case "failed": return step.reject(lib.unflatten(entry.error));
        case "woken": return step.resolve();
        case "event": return step.resolve({ type: entry.type, payload: ops.deserialize(entry.payload), timestamp: new Date(entry.sent) });
        default: return step.reject(named("WorkflowTimeoutError", `no event of type "${step.type}" came within ${step.entry.timeout} ms: step.waitForEvent("${step.name}")`));
      }
    }

    #callUpdate(entry, resolve, reject) {
      let answer;
      try {
        answer = lib.resolved(this.#method(entry.name).apply(this.#object, ops.deserialize(entry.args)));
      } catch (error) {
        answer = lib.rejected(error);
      }
      lib.then(answer, resolve, reject);
    }

    #takeEvent(step) {
      const event = this.#host.takeEvent(step.type);
      if (event === null) return false;
      this.#tell(step, () => {
        event.remove();
        return { kind: "event", step: step.seq, type: step.type, payload: event.payload, sent: event.sent, at: Date.now() };
      });
      return true;
    }

    #attempt(step) {
      step.isRunning = true;
      step.due = null;
      this.active++;
      this.#host.wake();
      lib.attempt(step, {
        // Whether anybody wants to hear what came of it.
        ended: () => {
          this.active--;
          step.isRunning = false;
          return !this.#isOver;
        },
        done: (value) => this.#tell(step, () => ({ kind: "done", step: step.seq, value, at: Date.now() })),
        failed: (error) => this.#tell(step, () => ({ kind: "failed", step: step.seq, error, at: Date.now() })),
        again: (error, wait) => {
          step.due = Date.now() + wait;
          this.#host.retry(step.seq, { attempts: step.attempts, next: step.due, error });
          this.#pumpSoon();
        },
      });
    }
  }

  lib.WorkflowRun = Run;
})
