// Histories of what a workload's clients asked for and were told, for the judges of "dacapo:sim".
((ops, lib) => {
  "use strict";

  const { parse, stringify } = JSON;
  const { round } = Math;

  // What a caller throws who knows that the operation did not happen and never will.
  class Refused extends Error {
    constructor(message = "refused") {
      super(message);
      this.name = "Refused";
    }
  }
  Object.defineProperty(Refused.prototype, "name", { value: "Refused", writable: true, configurable: true });

  // As it is now: what is changed later is not what was asked or answered.
  function frozen(value, what) {
    let text;
    try {
      text = stringify(value ?? null);
    } catch (error) {
      throw new TypeError(`${what} of an operation must be JSON: ${error.message}`);
    }
    if (text === undefined) throw new TypeError(`${what} of an operation must be JSON, not ${lib.inspect(value)}`);
    return text;
  }

  class History {
    #operations = [];
    #moments = [];
    // process → its operation that has not ended
    #open = new Map();

    // Asks and records what becomes of it. Whoever throws does not know whether it happened, unless it
    // throws `Refused`.
    async call(process, operation, run) {
      this.invoke(process, operation);
      let result;
      try {
        result = await run();
      } catch (error) {
        if (error instanceof Refused) {
          this.failed(process);
          return undefined;
        }
        this.unknown(process);
        throw error;
      }
      this.ok(process, result);
      return result;
    }

    invoke(process, { f, key, value }) {
      if (!Number.isSafeInteger(process) || process < 0) {
        throw new TypeError(`a process must be a whole number from 0, not ${lib.inspect(process)}`);
      }
      if (typeof f !== "string" || f === "") throw new TypeError("an operation needs a name: { f: \"read\" }");
      if (this.#open.has(process)) {
        throw new TypeError(
          `process ${process} asks again before its last operation has ended: give each concurrent caller a process of its own`,
        );
      }
      const texts = [frozen(key, "the key"), frozen(value, "the value")];
      const invoked = this.#moment(`"invoke",${stringify(f)},${texts[0]},${texts[1]}`, process);
      const it = { process, f, key: parse(texts[0]), value: parse(texts[1]), result: undefined, outcome: "unknown", invoked, ended: Infinity };
      this.#open.set(process, it);
      this.#operations.push(it);
    }

    ok(process, result) {
      const text = frozen(result, "the answer");
      this.#end(process, "ok", `"ok",${text}`).result = parse(text);
    }

    failed(process) {
      this.#end(process, "failed", `"failed"`);
    }

    unknown(process) {
      this.#end(process, "unknown", `"unknown"`);
    }

    #end(process, outcome, text) {
      const it = this.#open.get(process);
      if (it === undefined) throw new TypeError(`process ${process} has no operation under way that could end`);
      this.#open.delete(process);
      it.ended = this.#moment(text, process);
      it.outcome = outcome;
      return it;
    }

    // The place in the order of all moments.
    #moment(text, process) {
      return this.#moments.push(`[${round(ops.now() * 1e6)},${process},${text}]`) - 1;
    }

    get length() {
      return this.#operations.length;
    }

    // Operations in the order of their invocations, as copies.
    get operations() {
      return this.#operations.map(({ process, f, key, value, result, outcome }) => ({ process, f, key, value, result, outcome }));
    }

    static moments(history) {
      if (!(#moments in history)) throw new TypeError("the first argument must be a history()");
      return `[${history.#moments.join(",\n")}]`;
    }

    static entries(history) {
      if (!(#operations in history)) throw new TypeError("the first argument must be a history()");
      return history.#operations;
    }
  }

  lib.History = History;
  lib.Refused = Refused;
})
