// Instances of workflows. Each is a durable object: this is its class, around the one that the user wrote. It keeps the
// history, rings itself with the object's alarm, and runs the workflow from the start whenever it comes into memory.
((ops, lib) => {
  "use strict";

  const { Date, Map, Promise, Response, Set, TypeError } = globalThis;
  const { named, TIMER_MAX } = lib.workflows;

  // Keys in the object's storage.
  const META = "meta";
  const JOURNAL = "journal/";
  const EVENTS = "event/";
  const RETRIES = "retry/";
  const keyOf = (prefix, seq) => `${prefix}${`${seq}`.padStart(8, "0")}`;

  const ENDED = new Set(["complete", "errored", "terminated"]);
  // After how many rings of one alarm that all ended the object the workflow is given up.
  const RINGS_MAX = 6;

  const { WorkflowEntrypoint } = lib;

  const errorFor = (id, message, name = "Error") => named(name, `workflow instance "${id}": ${message}`);

  function helpFor({ name }) {
    const patch = JSON.stringify(`${name ?? "what"}-changed`);
    return (
      `keep the old way for instances that have passed here:  if (step.patched(${patch})) { the new way } else { the old one }\n` +
      "or serve the old code until they have ended"
    );
  }
  function describeMismatch(what, was, is) {
    const versions = was === is ? "" : ` (the instance began with version ${was}, this is version ${is})`;
    return (
      `the code does not fit the history${versions}\n  history, entry ${what.entry}: ${what.history}\n  code: ${what.code}\n${helpFor(what)}.\n` +
      "Once the code is right, resume() goes on from here; restart() begins anew"
    );
  }

  // The class of the durable object that runs workflows of `Class`.
  lib.workflowObject = (Class, className, version) =>
    class extends lib.DurableObject {
      #meta;
      #run = null;
      #reserved = new Set();
      #last = 0;
      // Ends the handler of the alarm that is at work.
      #ring = null;
      #timer = null;
      // Whether a history is only compared with the code, and nothing may come of it.
      #isCheck = false;

      constructor(ctx, env) {
        super(ctx, env);
        this.#meta = ctx.storage.kv.get(META);
      }

      get #kv() {
        return this.ctx.storage.kv;
      }
      #save() {
        this.#kv.put(META, this.#meta);
      }
      #known() {
        if (this.#meta === undefined) throw named("WorkflowError", "(instance.not_found) there is no workflow instance with this id");
        return this.#meta;
      }

      // ---- What the binding calls

      create(id, params, isBatch) {
        if (this.#meta !== undefined) {
          if (isBatch) return false;
          throw named("WorkflowError", `(instance.already_exists) there is a workflow instance "${id}" already: get("${id}") gives it`);
        }
        this.#meta = { id, class: className, version, params, created: Date.now(), state: "running", begun: false };
        this.#save();
        this.#rearm(Date.now());
        return true;
      }

      status() {
        const { state, error, output, version: began } = this.#known();
        const status = { status: this.#statusOf(state), version: began };
        if (error !== undefined) status.error = { name: error.name, message: error.message };
        if (output !== undefined) status.output = ops.deserialize(output);
        return status;
      }
      #statusOf(state) {
        const isActive = this.#run !== null && this.#run.active > 0;
        if (state === "paused") return isActive ? "waitingForPause" : "paused";
        if (state !== "running") return state;
        if (!this.#meta.begun) return "queued";
        return this.#run?.isBusy || this.#ring !== null ? "running" : "waiting";
      }

      sendEvent(type, payload) {
        const { id, state } = this.#known();
        if (ENDED.has(state)) throw errorFor(id, `it takes no events any more, it is ${state}`);
        let seq = 0;
        for (const [key] of this.#kv.list({ prefix: EVENTS, reverse: true, limit: 1 })) seq = Number(key.slice(EVENTS.length)) + 1;
        this.#kv.put(keyOf(EVENTS, seq), { type, payload, sent: Date.now() });
        this.#wakeUp();
      }

      pause() {
        const { id, state } = this.#known();
        if (state === "paused") return;
        if (state !== "running") throw errorFor(id, `it cannot be paused, it is ${state}`);
        this.#meta.state = "paused";
        this.#save();
        this.quiet();
      }

      resume() {
        const { id, state, mismatch } = this.#known();
        if (state === "running") return;
        if (state !== "paused" && !(state === "errored" && mismatch)) throw errorFor(id, `it cannot be resumed, it is ${state}`);
        if (this.#run?.isOver) this.#run = null;
        this.#meta.state = "running";
        delete this.#meta.error;
        delete this.#meta.mismatch;
        this.#save();
        this.#wakeUp();
      }

      terminate() {
        const { id, state } = this.#known();
        if (ENDED.has(state)) throw errorFor(id, `it cannot be terminated, it is ${state}`);
        this.#forget();
        this.#meta.state = "terminated";
        this.#save();
        this.#settle();
      }

      restart() {
        const { id, params } = this.#known();
        this.#forget();
        for (const prefix of [JOURNAL, EVENTS, RETRIES]) {
          for (const [key] of this.#kv.list({ prefix })) this.#kv.delete(key);
        }
        this.#meta = { id, class: className, version, params, created: Date.now(), state: "running", begun: false };
        this.#save();
        this.#settle();
        this.#rearm(Date.now());
      }

      async query(name, args) {
        const run = await this.#replayed();
        return run.query(name, args);
      }

      async update(name, args) {
        const { id, state } = this.#known();
        if (ENDED.has(state)) throw errorFor(id, `it takes no updates any more, it is ${state}`);
        const run = await this.#replayed();
        if (run.isOver) throw errorFor(id, `it takes no updates any more, it is ${this.#meta.state}`);
        this.wake();
        return run.update(name, args);
      }

      // The run, once it has come to where its history ends.
      async #replayed() {
        const { id } = this.#known();
        if (this.#run === null) this.#begin();
        const run = this.#run;
        await run?.afterReplay();
        if (run === null || run !== this.#run || this.#meta.mismatch) {
          throw errorFor(id, this.#meta.error === undefined ? `it is ${this.#meta.state}` : this.#meta.error.message);
        }
        return run;
      }

      // ---- What `dacapo workflows` asks for: no guest has a way to come here

      async fetch(request) {
        if (request.method === "GET") {
          if (this.#meta === undefined) return Response.json(null);
          const list = (prefix) => [...this.#kv.list({ prefix })];
          return Response.json(lib.writeHistory(`${lib.service}.${className}`, this.#meta, list(JOURNAL), list(EVENTS), list(RETRIES)));
        }
        const { meta, journal } = lib.readHistory(await request.json());
        this.#meta = meta;
        this.#isCheck = true;
        journal.forEach((entry, seq) => this.#kv.put(keyOf(JOURNAL, seq), entry));
        this.#begin();
        await this.#run?.afterReplay();
        if (this.#run === null) return Response.json({ verdict: "unusable", why: this.#meta.error.message });
        const { mismatch } = this.#run;
        if (mismatch === null) return Response.json({ verdict: "fits", was: meta.version, is: version });
        return Response.json({ verdict: "differs", ...mismatch, help: helpFor(mismatch), was: meta.version, is: version });
      }

      // ---- The alarm

      async alarm({ retryCount }) {
        if (this.#meta === undefined || this.#meta.state !== "running") return;
        if (retryCount >= RINGS_MAX && !(await this.#isWorthATry())) return;
        await new Promise((resolve) => {
          this.#ring = resolve;
          if (this.#run === null) this.#begin();
          else this.#run.tick();
        });
      }

      // The object has come to its end each time it ran. If it was not for its storage, it is for its code.
      async #isWorthATry() {
        if (this.#meta.lastTry !== true) {
          this.#meta.lastTry = true;
          this.#save();
          await this.ctx.storage.sync();
          return true;
        }
        delete this.#meta.lastTry;
        const error = errorFor(this.#meta.id, "running it has ended its object again and again; the log says why");
        this.#end({ state: "errored", error: lib.flatten(error) });
        return false;
      }

      // Goes on with the run after something has come from outside.
      #wakeUp() {
        if (this.#meta.state !== "running") return;
        this.wake();
        if (this.#run === null) return;
        this.#run.tick();
      }

      // An alarm rings until nothing more can be done now. So whatever becomes of the object, it is called again.
      wake() {
        if (this.#ring === null && this.#isRunning) this.#rearm(Date.now());
      }
      #rearm(at) {
        ops.storageSetAlarm(at);
      }

      // The run has nothing to do before something is due or comes.
      quiet() {
        // The first run has not begun; its alarm is set.
        if (this.#run === null && this.#isRunning) return;
        // A node that stops begins nothing new. The alarm rings where it boots again.
        const due = !this.#isRunning ? null : lib.isStopping ? Date.now() : this.#run.due;
        if (this.#run !== null && this.#run.active > 0) {
          // An alarm is at work, and cannot ring.
          this.#wakeAt(due);
          return;
        }
        this.#wakeAt(null);
        if (this.#meta.state === "running" && this.#run?.isBusy) return;
        if (this.#meta.state === "running" || this.#ring !== null) this.#rearm(due);
        this.#settle();
      }
      #wakeAt(due) {
        if (this.#timer !== null) lib.clearTimer(this.#timer);
        this.#timer = null;
        if (due === null) return;
        this.#timer = lib.setTimer(() => {
          this.#timer = null;
          this.#run?.tick();
        }, Math.min(Math.max(due - Date.now(), 0), TIMER_MAX));
      }
      #settle() {
        const ring = this.#ring;
        this.#ring = null;
        ring?.();
      }

      // ---- The run, and what it asks of its host

      #begin() {
        const meta = this.#meta;
        const history = [];
        for (const [key, entry] of this.#kv.list({ prefix: JOURNAL })) history.push([Number(key.slice(JOURNAL.length)), entry]);
        const retries = new Map();
        for (const [key, retry] of this.#kv.list({ prefix: RETRIES })) retries.set(Number(key.slice(RETRIES.length)), retry);
        this.#last = history.length === 0 ? 0 : history.at(-1)[0] + 1;
        this.#reserved.clear();
        let object;
        try {
          if (!(Class.prototype instanceof WorkflowEntrypoint)) {
            throw new TypeError(`the class ${className} does not extend WorkflowEntrypoint: import { WorkflowEntrypoint } from "cloudflare:workers"`);
          }
          if (typeof Class.prototype.run !== "function") throw new TypeError(`the class ${className} has no method run(event, step)`);
          object = new Class(lib.newContext(), this.env);
        } catch (error) {
          ops.log(3, lib.stackOf(error));
          if (meta.state === "running") this.#end({ state: "errored", error: lib.flatten(error), mismatch: true });
          return;
        }
        if (!meta.begun) {
          meta.begun = true;
          this.#save();
        }
        const event = { payload: ops.deserialize(meta.params), timestamp: new Date(meta.created), instanceId: meta.id, workflowName: className };
        this.#run = new lib.WorkflowRun(this, history, retries, object);
        this.#run.start(event);
      }

      // Lets go of the run: nothing of it is heard any more.
      #forget() {
        this.#wakeAt(null);
        this.#run?.stop();
        this.#run = null;
        ops.storageSetAlarm(null);
      }

      get #isRunning() {
        return !this.#isCheck && this.#meta.state === "running";
      }
      // Whether nothing new may begin.
      get isPaused() {
        return !this.#isRunning || lib.isStopping;
      }

      append(entry) {
        const seq = this.#last++;
        // Code that is run to answer a query may go on where the instance was ended; nothing comes of that.
        if (this.#isCheck || ENDED.has(this.#meta.state)) return seq;
        this.#kv.put(keyOf(JOURNAL, seq), entry);
        if (this.#meta.lastTry === true) {
          delete this.#meta.lastTry;
          this.#save();
        }
        return seq;
      }

      // A step is tried again: what is known of it, or null once it has ended. It is no part of what the code sees, and there
      // may be any number of attempts, so only the last one is kept.
      retry(seq, retry) {
        if (retry === null) this.#kv.delete(keyOf(RETRIES, seq));
        else this.#kv.put(keyOf(RETRIES, seq), retry);
      }

      // The oldest event of this type that nobody has taken.
      takeEvent(type) {
        for (const [key, event] of this.#kv.list({ prefix: EVENTS })) {
          if (event.type !== type || this.#reserved.has(key)) continue;
          this.#reserved.add(key);
          return { payload: event.payload, sent: event.sent, remove: () => (this.#reserved.delete(key), this.#kv.delete(key)) };
        }
        return null;
      }

      mismatch(what) {
        const { id } = this.#meta;
        const error = errorFor(id, describeMismatch(what, this.#meta.version, version), "WorkflowMismatchError");
        if (this.#isCheck) return;
        ops.log(3, error.message);
        if (this.#meta.state !== "running") {
          this.#meta.mismatch = true;
          this.#meta.error ??= lib.flatten(error);
          return;
        }
        this.#end({ state: "errored", error: lib.flatten(error), mismatch: true });
      }

      ended(entry) {
        if (this.#isCheck || ENDED.has(this.#meta.state)) return;
        if (entry.kind === "end") this.#end({ state: "complete", output: entry.value });
        else this.#end({ state: "errored", error: entry.error });
      }

      #end(how) {
        // Those who wait for the run hear of it; what it knows can still be asked for.
        this.#run?.stop();
        this.#wakeAt(null);
        Object.assign(this.#meta, how);
        this.#save();
        ops.storageSetAlarm(null);
        this.#settle();
      }
    };
})
