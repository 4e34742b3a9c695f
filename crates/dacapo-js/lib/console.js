// console: lines for people. Where they go is not the guest's business.
((ops, lib) => {
  "use strict";

  const DEBUG = 0;
  const INFO = 1;
  const WARN = 2;
  const ERROR = 3;

  let indent = "";
  const counts = new Map();
  const timers = new Map();

  function print(level, args) {
    let text = lib.format(args);
    if (indent !== "") text = indent + text.replaceAll("\n", `\n${indent}`);
    ops.log(level, text);
  }

  // Rows and columns in a frame of lines, as browsers' consoles show them.
  function table(data, columns) {
    if (typeof data !== "object" || data === null) return lib.inspect(data);
    const rows = data instanceof Map ? [...data] : Array.isArray(data) ? [...data.entries()] : Object.entries(data);
    const names = [];
    for (const [, row] of rows) {
      const keys = typeof row === "object" && row !== null ? Object.keys(row) : [];
      for (const key of keys) if (!names.includes(key)) names.push(key);
    }
    const shown = Array.isArray(columns) ? columns.map(String) : names;
    const plain = rows.some(([, row]) => typeof row !== "object" || row === null);
    const head = ["(index)", ...shown, ...(plain ? ["Values"] : [])];
    const body = rows.map(([index, row]) => {
      const isObject = typeof row === "object" && row !== null;
      const cells = shown.map((key) => (isObject && Object.hasOwn(row, key) ? lib.inspect(row[key], { depth: 0 }) : ""));
      return [String(index), ...cells, ...(plain ? [isObject ? "" : lib.inspect(row)] : [])];
    });
    const widths = head.map((cell, i) => Math.max(cell.length, ...body.map((line) => line[i].length)));
    const line = (cells) => `│ ${cells.map((cell, i) => cell.padEnd(widths[i])).join(" │ ")} │`;
    const rule = (left, middle, right) => left + widths.map((width) => "─".repeat(width + 2)).join(middle) + right;
    return [rule("┌", "┬", "┐"), line(head), rule("├", "┼", "┤"), ...body.map(line), rule("└", "┴", "┘")].join("\n");
  }

  const elapsed = (label) => {
    const start = timers.get(label);
    return start === undefined ? null : `${label}: ${Math.round((ops.now() - start) * 1000) / 1000}ms`;
  };

  const console = {
    log: (...args) => print(INFO, args),
    info: (...args) => print(INFO, args),
    debug: (...args) => print(DEBUG, args),
    warn: (...args) => print(WARN, args),
    error: (...args) => print(ERROR, args),
    trace(...args) {
      const error = { name: "Trace", message: lib.format(args) };
      Error.captureStackTrace(error, console.trace);
      const frames = String(error.stack).split("\n").filter((line) => /^\s+at /.test(line));
      print(DEBUG, [[`Trace${error.message === "" ? "" : `: ${error.message}`}`, ...frames].join("\n")]);
    },
    assert(condition = false, ...args) {
      if (condition) return;
      if (typeof args[0] === "string") args[0] = `Assertion failed: ${args[0]}`;
      else args.unshift("Assertion failed");
      print(ERROR, args);
    },
    dir: (value, options) => print(INFO, [lib.inspect(value, options ?? {})]),
    dirxml: (...args) => print(INFO, args),
    table: (data, columns) => print(INFO, [table(data, columns)]),
    group(...args) {
      if (args.length > 0) print(INFO, args);
      indent += "  ";
    },
    groupCollapsed(...args) {
      console.group(...args);
    },
    groupEnd() {
      indent = indent.slice(2);
    },
    count(label = "default") {
      label = `${label}`;
      const count = (counts.get(label) ?? 0) + 1;
      counts.set(label, count);
      print(INFO, [`${label}: ${count}`]);
    },
    countReset(label = "default") {
      counts.delete(`${label}`);
    },
    time(label = "default") {
      label = `${label}`;
      if (timers.has(label)) print(WARN, [`Timer '${label}' already exists`]);
      else timers.set(label, ops.now());
    },
    timeLog(label = "default", ...args) {
      const text = elapsed(`${label}`);
      if (text === null) print(WARN, [`Timer '${label}' does not exist`]);
      else print(INFO, [text, ...args]);
    },
    timeEnd(label = "default") {
      const text = elapsed(`${label}`);
      if (text === null) print(WARN, [`Timer '${label}' does not exist`]);
      else print(INFO, [text]);
      timers.delete(`${label}`);
    },
    clear() {},
    timeStamp() {},
    profile() {},
    profileEnd() {},
  };
  Object.defineProperty(console, Symbol.toStringTag, { value: "console", configurable: true });
  lib.global("console", console);
})
