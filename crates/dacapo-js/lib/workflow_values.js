// What workflows measure and name: lengths of time, limits, the configuration of a step, and the errors that are told.
((ops, lib) => {
  "use strict";

  const { Date, Error, Object, RangeError, TypeError } = globalThis;
  const SECOND = 1000;
  const DAY = 86_400 * SECOND;
  const UNITS = { second: SECOND, minute: 60 * SECOND, hour: 3600 * SECOND, day: DAY, week: 7 * DAY, month: 30 * DAY, year: 365 * DAY };
  const LENGTH = /^\s*(\d+(?:\.\d+)?)\s*(second|minute|hour|day|week|month|year)s?\s*$/;
  const WAIT_MAX = 365 * DAY;

  // As at Cloudflare.
  const STEPS_MAX = 1024;
  const VALUE_MAX = 1 << 20;
  const STEP_NAME_MAX = 256;
  const ID_MAX = 100;
  const ID = /^[a-zA-Z0-9_][a-zA-Z0-9-_]*$/;
  const BACKOFFS = ["constant", "linear", "exponential"];
  const DEFAULTS = { retries: { limit: 5, delay: 10_000, backoff: "exponential" }, timeout: 10 * 60 * SECOND };
  const EVENT_TIMEOUT = DAY;
  // The longest that a timer in memory is set for. Longer waits are left to the alarm.
  const TIMER_MAX = 3_600_000;

  class NonRetryableError extends Error {
    constructor(message, name = "NonRetryableError") {
      super(message);
      Object.defineProperty(this, "name", { value: `${name}`, writable: true, configurable: true });
    }
  }
  // One that has come from another service has kept its name only.
  const isFinal = (error) => error instanceof NonRetryableError || error?.name === "NonRetryableError";

  const named = (name, message) => {
    const error = new Error(message);
    Object.defineProperty(error, "name", { value: name, writable: true, configurable: true });
    return error;
  };

  const show = (value) => lib.inspect(value, { depth: 0 });

  // A length of time in milliseconds, from a number of them or a text as "30 seconds".
  function lengthOf(value, what) {
    let millis = NaN;
    if (typeof value === "number") millis = value;
    else if (typeof value === "string") {
      const parts = LENGTH.exec(value);
      if (parts !== null) millis = Number(parts[1]) * UNITS[parts[2]];
    }
    if (!(millis >= 0)) {
      throw new TypeError(`${what} must be milliseconds or a text as "30 seconds" or "5 days", not ${show(value)}`);
    }
    if (millis > WAIT_MAX) throw new RangeError(`${what} can be at most 365 days, not ${show(value)}`);
    return Math.ceil(millis);
  }

  function timeOf(value, what) {
    const millis = value instanceof Date ? value.getTime() : value;
    if (typeof millis !== "number" || !Number.isFinite(millis)) {
      throw new TypeError(`${what} must be a Date or milliseconds since 1970, not ${show(value)}`);
    }
    return Math.ceil(millis);
  }

  function checkStepName(name, what) {
    if (typeof name !== "string" || name === "") throw new TypeError(`${what}: a step needs a name, not ${show(name)}`);
    if (name.length > STEP_NAME_MAX) {
      throw new RangeError(`${what}: the name of a step has at most ${STEP_NAME_MAX} characters, not ${name.length}`);
    }
    // eslint-disable-next-line no-control-regex
    if (/[\u0000-\u001f\u007f]/.test(name)) throw new TypeError(`${what}: the name ${show(name)} has a control character`);
  }

  function checkId(id, what) {
    if (typeof id !== "string" || id.length > ID_MAX || !ID.test(id)) {
      throw new TypeError(
        `${what} has 1 to ${ID_MAX} letters, digits, "_" and "-", and does not begin with "-"; ${show(id)} is none`,
      );
    }
    return id;
  }

  function configOf(given, name) {
    if (typeof given !== "object" || given === null) {
      throw new TypeError(`step.do("${name}"): the second argument must be a configuration or the callback, not ${show(given)}`);
    }
    const what = (field) => `step.do("${name}"): ${field}`;
    for (const key of Object.keys(given)) {
      if (!["retries", "timeout", "sensitive"].includes(key)) throw new TypeError(what(`there is no option "${key}"`));
    }
    const retries = { ...DEFAULTS.retries, ...given.retries };
    for (const key of Object.keys(retries)) {
      if (!Object.hasOwn(DEFAULTS.retries, key)) throw new TypeError(what(`retries has no option "${key}"`));
    }
    if (!(retries.limit === Infinity || (Number.isInteger(retries.limit) && retries.limit >= 0))) {
      throw new RangeError(what(`retries.limit must be a whole number from 0, or Infinity, not ${show(retries.limit)}`));
    }
    if (!BACKOFFS.includes(retries.backoff)) {
      throw new TypeError(what(`retries.backoff must be "constant", "linear" or "exponential", not ${show(retries.backoff)}`));
    }
    if (typeof retries.delay !== "function") retries.delay = lengthOf(retries.delay, what("retries.delay"));
    const timeout = given.timeout === undefined ? DEFAULTS.timeout : lengthOf(given.timeout, what("timeout"));
    return { retries, timeout };
  }

  // How long to wait after so many attempts that failed, all of them.
  function delayAfter(attempts, retries, context, error) {
    if (typeof retries.delay === "function") {
      return lengthOf(retries.delay({ ctx: context, error }), "what retries.delay() gave");
    }
    const factor = retries.backoff === "constant" ? 1 : retries.backoff === "linear" ? attempts : 2 ** (attempts - 1);
    return Math.min(retries.delay * factor, WAIT_MAX);
  }

  // The bytes of a value that is recorded; what cannot be is an error that says so.
  function pack(value, what) {
    const bytes = lib.packValue(value);
    if (bytes.length > VALUE_MAX) {
      throw new RangeError(
        `${what} has ${bytes.length} bytes, and at most ${VALUE_MAX} can be recorded: store it elsewhere, and record where`,
      );
    }
    return bytes;
  }

  // What the code asks for, by the kind of the entry that stands for it in the history.
  const METHODS = { do: "step.do", sleep: "step.sleep", wait: "step.waitForEvent", patch: "step.patched" };
  const isCommand = (entry) => Object.hasOwn(METHODS, entry.kind);

  // What an entry of the history was, for people.
  function tell(entry, entries) {
    const place = entry.place ? ` at ${entry.place}` : "";
    if (entry.kind === "patch") return `step.patched(${JSON.stringify(entry.name)})${place}`;
    if (isCommand(entry)) {
      const which = entry.count > 1 ? `, its call no. ${entry.count} of that name` : "";
      const what = entry.kind === "wait" ? `, for an event of type ${JSON.stringify(entry.type)}` : "";
      return `${METHODS[entry.kind]}(${JSON.stringify(entry.name)})${which}${what}${place}`;
    }
    const of = entry.step === undefined ? "" : ` of ${tell(entries.get(entry.step), entries)}`;
    switch (entry.kind) {
      case "done": return `the result${of}`;
      case "failed": return `the error${of}`;
      case "woken": return `the end${of}`;
      case "event": return `the event${of}`;
      case "timeout": return `the timeout${of}`;
      case "update": return `the update ${JSON.stringify(entry.name)}`;
      case "end": return "run() returned";
      default: return "run() threw";
    }
  }

  class WorkflowEntrypoint {
    constructor(ctx, env) {
      this.ctx = ctx;
      this.env = env;
    }
  }
  lib.WorkflowEntrypoint = WorkflowEntrypoint;
  Object.assign(lib.modules["cloudflare:workers"], { WorkflowEntrypoint });
  Object.assign(lib.modules["dacapo:workers"], { WorkflowEntrypoint, NonRetryableError });
  lib.modules["cloudflare:workflows"] = { NonRetryableError };

  lib.workflows = {
    METHODS, STEPS_MAX, EVENT_TIMEOUT, TIMER_MAX, NonRetryableError,
    isFinal, named, show, lengthOf, timeOf, checkStepName, checkId, configOf, delayAfter, pack, isCommand, tell,
  };
})
