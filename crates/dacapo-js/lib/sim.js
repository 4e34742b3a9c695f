// The module "dacapo:sim": checks for services and workloads, and what scenarios are written with.
((ops, lib) => {
  "use strict";

  const ALWAYS = 0;
  const SOMETIMES = 1;
  const REACHABLE = 2;
  const UNREACHABLE = 3;
  const COVERAGE = 4;
  const { floor } = Math;
  // Looked up when used, not when this file runs: an instance seeds it when it starts.
  const draw = () => Math.random();

  class AssertionError extends Error {
    constructor(message, { actual, expected } = {}) {
      super(message);
      this.name = "AssertionError";
      this.actual = actual;
      this.expected = expected;
    }
  }
  Object.defineProperty(AssertionError.prototype, "name", { value: "AssertionError", writable: true, configurable: true });

  function details(value) {
    if (value === undefined || value === null) return null;
    return typeof value === "string" ? value : lib.inspect(value, { depth: 4 });
  }

  function check(kind, condition, message, more) {
    if (typeof message !== "string" || message === "") {
      throw new TypeError("a check needs a message: it is the name under which it is counted and reported");
    }
    ops.check(kind, Boolean(condition), message, details(more));
    return condition;
  }

  function sleep(ms) {
    return new Promise((resolve) => {
      ms = Number(ms);
      lib.setTimer(resolve, ms > 0 ? ms : 0);
    });
  }

  const random = {
    int(from, to) {
      from = Math.ceil(Number(from));
      to = Math.floor(Number(to));
      if (!(to >= from)) throw new RangeError(`random.int: there is no integer from ${from} to ${to}`);
      return from + floor(draw() * (to - from + 1));
    },
    pick(array) {
      if (array.length === 0) throw new RangeError("random.pick: the array is empty");
      return array[floor(draw() * array.length)];
    },
    chance(p) {
      return draw() < p;
    },
    shuffle(array) {
      const copy = [...array];
      for (let i = copy.length - 1; i > 0; i--) {
        const j = floor(draw() * (i + 1));
        [copy[i], copy[j]] = [copy[j], copy[i]];
      }
      return copy;
    },
  };

  function assert(condition, message = "the assertion does not hold") {
    if (!condition) throw new AssertionError(`${message}`, { actual: condition, expected: true });
  }

  function equal(actual, expected, message = "the values differ") {
    const difference = lib.difference(actual, expected);
    if (difference !== null) throw new AssertionError(`${message}\n${difference}`, { actual, expected });
  }

  // A driver with its options; a bare function is a driver too.
  class Driver {
    constructor(run, { clients = 1, pause = 100 }) {
      if (typeof run !== "function") throw new TypeError("driver: the first argument must be a function");
      if (!Number.isInteger(clients) || clients < 1) {
        throw new RangeError(`driver: clients must be a whole number from 1, not ${lib.inspect(clients)}`);
      }
      if (typeof pause !== "number" || !(pause >= 0) || pause === Infinity) {
        throw new RangeError(`driver: pause must be a number of milliseconds, not ${lib.inspect(pause)}`);
      }
      this.run = run;
      this.clients = clients;
      this.pause = pause;
    }
  }
  lib.driverOf = (value) => (value instanceof Driver ? value : new Driver(value, {}));
  lib.check = check;
  lib.draw = draw;
  lib.sleep = sleep;

  lib.modules["dacapo:sim"] = {
    always: (condition, message, more) => check(ALWAYS, condition, message, more),
    sometimes: (condition, message, more) => check(SOMETIMES, condition, message, more),
    reachable: (message, more) => void check(REACHABLE, true, message, more),
    unreachable: (message, more) => void check(UNREACHABLE, false, message, more),
    coverage: (key) => void check(COVERAGE, true, `${key}`, null),
    driver: (run, options = {}) => new Driver(run, options ?? {}),
    sleep,
    random,
    assert,
    equal,
    AssertionError,
    ...lib.judges,
  };
})
