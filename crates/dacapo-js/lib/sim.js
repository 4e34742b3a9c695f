// The module "dacapo:sim": checks for services and workloads, and what scenarios are written with.
((ops, lib) => {
  "use strict";

  const ALWAYS = 0;
  const SOMETIMES = 1;
  const REACHABLE = 2;
  const UNREACHABLE = 3;
  const COVERAGE = 4;
  const { floor } = Math;
  const { isSafeInteger } = Number;
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

  // In a workload for which something is decided (`lib.decides`), each draw is a decision: it may be given, and it is
  // told. It is always drawn as well, so that the next one does not depend on whether this one is given.
  const decide = (what, least, range, natural, of) =>
    lib.decides === true && range - least > 1 && isSafeInteger(range) ? ops.draw(what, least, range, natural, of) : natural;

  const isWord = RegExp.prototype.test.bind(/^[\w.-]+$/);

  // What a draw is called. Whatever else comes here is none of ours: `rows.map(random.pick)` hands over an index.
  function called(name, usual) {
    if (typeof name !== "string") return usual;
    if (!isWord(name) || name === "round" || name === "pause") {
      throw new TypeError(`random.${usual}: the name of a draw is one word other than "round" and "pause", not ${lib.inspect(name)}`);
    }
    return name;
  }

  const random = {
    int(from, to, name) {
      from = Math.ceil(Number(from));
      to = Math.floor(Number(to));
      const what = called(name, "int");
      if (!(to >= from)) throw new RangeError(`random.int: there is no integer from ${from} to ${to}`);
      const natural = from + floor(draw() * (to - from + 1));
      // A decision is the number itself. There are none below 0, so that those are counted from `from` on.
      return from >= 0 ? decide(what, from, to + 1, natural, null) : from + decide(what, 0, to - from + 1, natural - from, from);
    },
    pick(array, name) {
      const { length } = array;
      const what = called(name, "pick");
      if (length === 0) throw new RangeError("random.pick: the array is empty");
      const left = lib.decides === true ? ops.left(what === "pick" ? null : what, length) : null;
      const natural = left === null ? floor(draw() * length) : left[floor(draw() * left.length)];
      return array[decide(what, 0, length, natural, array)];
    },
    chance(p, name) {
      const what = called(name, "chance");
      return decide(what, 0, 2, draw() < p ? 1 : 0, true) === 1;
    },
    shuffle(array, name) {
      const copy = [...array];
      const what = called(name, "shuffle");
      for (let i = copy.length - 1; i > 0; i--) {
        // A decision says how far it is moved.
        const j = i - decide(what, 0, i + 1, i - floor(draw() * (i + 1)), null);
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
