// What the code of a workflow is given as `step`.
((ops, lib) => {
  "use strict";

  const { Date, Object, Promise, TypeError } = globalThis;
  const { EVENT_TIMEOUT } = lib.workflows;
  const { checkId, checkStepName, configOf, lengthOf, show, timeOf } = lib.workflows;
  const never = new Promise(() => {});

  class WorkflowStep {
    #run;
    constructor(token, run) {
      if (token !== lib.INTERNAL) throw new TypeError("Illegal constructor");
      this.#run = run;
    }

    async do(name, config, callback) {
      if (typeof config === "function") [config, callback] = [{}, config];
      else if (arguments.length > 3) throw new TypeError(`step.do("${name}"): rollback handlers are not known in this version; catch the error and undo what was done in steps`);
      checkStepName(name, "step.do");
      if (typeof callback !== "function") throw new TypeError(`step.do("${name}"): the callback is missing`);
      const resolved = configOf(config, name);
      return this.#await("do", name, () => ({}), { callback, config: resolved });
    }

    async sleep(name, duration) {
      checkStepName(name, "step.sleep");
      const millis = lengthOf(duration, `step.sleep("${name}"): the duration`);
      await this.#await("sleep", name, () => ({ until: Date.now() + millis }), {});
    }

    async sleepUntil(name, time) {
      checkStepName(name, "step.sleepUntil");
      const until = timeOf(time, `step.sleepUntil("${name}"): the time`);
      await this.#await("sleep", name, () => ({ until }), {});
    }

    async waitForEvent(name, options) {
      checkStepName(name, "step.waitForEvent");
      if (typeof options !== "object" || options === null) throw new TypeError(`step.waitForEvent("${name}"): { type } is required, not ${show(options)}`);
      const type = checkId(options.type, `step.waitForEvent("${name}"): the type of an event`);
      const timeout = options.timeout === undefined ? EVENT_TIMEOUT : lengthOf(options.timeout, `step.waitForEvent("${name}"): the timeout`);
      return this.#await("wait", name, () => ({ type, timeout, until: Date.now() + timeout }), {});
    }

    patched(name) {
      checkStepName(name, "step.patched");
      return this.#run.patched(name);
    }

    #await(kind, name, fields, more) {
      const step = this.#run.command(kind, name, fields);
      // The run has been stopped, and nothing of it shall go on.
      if (step === null) return never;
      Object.assign(step, more);
      return this.#run.begin(step);
    }
  }
  lib.interface(WorkflowStep, { hidden: true });
  lib.WorkflowStep = WorkflowStep;
})
