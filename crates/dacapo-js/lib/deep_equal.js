// Deep equality of values, and where they differ, for people.
((ops, lib) => {
  "use strict";

  const DIFFERENCES_MAX = 10;

  const isObject = (value) => typeof value === "object" && value !== null;
  const show = (value) => lib.inspect(value, { depth: 3 });

  // Calls `differ(path, actual, expected)` for each difference.
  function compare(actual, expected, path, differ, seen) {
    if (Object.is(actual, expected)) return;
    if (!isObject(actual) || !isObject(expected)) return void differ(path, actual, expected);
    // Two structures that lead back to themselves are equal if they do so alike.
    if (seen.get(actual) === expected) return;
    seen.set(actual, expected);
    if (Object.getPrototypeOf(actual) !== Object.getPrototypeOf(expected)) return void differ(path, actual, expected);
    if (Array.isArray(actual) || ArrayBuffer.isView(actual)) {
      const length = Math.max(actual.length ?? actual.byteLength, expected.length ?? expected.byteLength);
      for (let i = 0; i < length; i++) {
        const at = `${path}[${i}]`;
        if (i >= actual.length) differ(at, MISSING, expected[i]);
        else if (i >= expected.length) differ(at, actual[i], MISSING);
        else compare(actual[i], expected[i], at, differ, seen);
      }
      return;
    }
    if (actual instanceof Map) {
      for (const [key, value] of expected) {
        const at = `${path}.get(${show(key)})`;
        if (!actual.has(key)) differ(at, MISSING, value);
        else compare(actual.get(key), value, at, differ, seen);
      }
      for (const [key, value] of actual) if (!expected.has(key)) differ(`${path}.get(${show(key)})`, value, MISSING);
      return;
    }
    if (actual instanceof Set) {
      // Members that are objects are compared by content, each with one that is not yet taken.
      const left = [...expected].filter((item) => !actual.has(item));
      for (const item of actual) {
        if (expected.has(item)) continue;
        const at = left.findIndex((other) => equals(item, other));
        if (at === -1) differ(`${path} member`, item, MISSING);
        else left.splice(at, 1);
      }
      for (const item of left) differ(`${path} member`, MISSING, item);
      return;
    }
    if (actual instanceof Date || actual instanceof Number || actual instanceof String || actual instanceof Boolean) {
      if (!Object.is(actual.valueOf(), expected.valueOf())) differ(path, actual, expected);
      return;
    }
    if (actual instanceof RegExp) {
      if (`${actual}` !== `${expected}`) differ(path, actual, expected);
      return;
    }
    if (actual instanceof Error && (actual.name !== expected.name || actual.message !== expected.message)) {
      return void differ(path, actual, expected);
    }
    const keys = Reflect.ownKeys(expected).filter((key) => enumerable(expected, key));
    for (const key of keys) {
      const at = typeof key === "string" && /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${show(key)}]`;
      if (!enumerable(actual, key)) differ(at, MISSING, expected[key]);
      else compare(actual[key], expected[key], at, differ, seen);
    }
    for (const key of Reflect.ownKeys(actual)) {
      if (enumerable(actual, key) && !enumerable(expected, key)) differ(`${path}.${String(key)}`, actual[key], MISSING);
    }
  }

  const MISSING = Symbol("missing");
  const enumerable = (object, key) => Object.getOwnPropertyDescriptor(object, key)?.enumerable === true;

  const equals = (actual, expected) => {
    let same = true;
    compare(actual, expected, "", () => (same = false), new Map());
    return same;
  };

  // Null if they are equal, else a text that says where they differ.
  lib.difference = (actual, expected) => {
    const lines = [];
    let more = 0;
    const part = (value) => (value === MISSING ? "nothing" : show(value));
    compare(actual, expected, "value", (path, left, right) => {
      if (lines.length === DIFFERENCES_MAX) more++;
      else lines.push(`  ${path}: got ${part(left)}, expected ${part(right)}`);
    }, new Map());
    if (lines.length === 0) return null;
    if (more > 0) lines.push(`  and ${more} more`);
    return lines.join("\n");
  };
})
