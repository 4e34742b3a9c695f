// Values as text for people, in the spirit of Node's util.inspect. The same value always gives the same text.
((ops, lib) => {
  "use strict";

  const CUSTOM = Symbol.for("nodejs.util.inspect.custom");
  const LINE = 76;
  // Deep enough for everything that a person reads, and not so deep that the stack overflows.
  const DEPTH_MAX = 100;
  const ITEMS_MAX = 100;
  const STRING_MAX = 10_000;
  const TypedArray = Object.getPrototypeOf(Uint8Array);
  const tagOf = Object.getOwnPropertyDescriptor(TypedArray.prototype, Symbol.toStringTag).get;

  // How the platform's own classes show themselves: prototype → function.
  const own = new Map();
  lib.inspectAs = (cls, show) => own.set(cls.prototype, show);

  const ESCAPES = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", "\v": "\\v", "\\": "\\\\" };

  function quote(text) {
    let mark = "'";
    if (text.includes("'")) {
      if (!text.includes('"')) mark = '"';
      else if (!text.includes("`") && !text.includes("${")) mark = "`";
    }
    let out = mark;
    for (let i = 0; i < text.length; i++) {
      const char = text[i];
      const code = text.charCodeAt(i);
      if (char === mark) out += `\\${mark}`;
      else if (ESCAPES[char] !== undefined) out += ESCAPES[char];
      else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, "0").toUpperCase()}`;
      else out += char;
    }
    return out + mark;
  }

  function shorten(text) {
    if (text.length <= STRING_MAX) return quote(text);
    return `${quote(text.slice(0, STRING_MAX))}... ${text.length - STRING_MAX} more characters`;
  }

  function primitive(value) {
    switch (typeof value) {
      case "string":
        return shorten(value);
      case "number":
        return Object.is(value, -0) ? "-0" : `${value}`;
      case "bigint":
        return `${value}n`;
      case "symbol":
        return value.toString();
      default:
        return `${value}`;
    }
  }

  function classOf(value) {
    for (let proto = value; proto !== null; proto = Object.getPrototypeOf(proto)) {
      const descriptor = Object.getOwnPropertyDescriptor(proto, "constructor");
      if (descriptor !== undefined && typeof descriptor.value === "function" && descriptor.value.name !== "") {
        return descriptor.value.name;
      }
    }
    return null;
  }

  function keyText(key) {
    if (typeof key === "symbol") return `[${key.toString()}]`;
    return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key);
  }

  function errorText(error) {
    let text;
    try {
      text = ops.stackOf(error);
    } catch {
      text = undefined;
    }
    if (typeof text !== "string" || text === "") text = `${error.name}: ${error.message}`;
    return text;
  }

  class Inspector {
    constructor(options) {
      const depth = options.depth === null ? Infinity : options.depth ?? 2;
      this.depth = Math.min(depth, DEPTH_MAX);
      this.showHidden = options.showHidden === true;
      this.seen = [];
      this.circular = null;
    }

    show(value, level) {
      if ((typeof value !== "object" || value === null) && typeof value !== "function") return primitive(value);
      const at = this.seen.indexOf(value);
      if (at !== -1) {
        this.circular ??= new Map();
        if (!this.circular.has(value)) this.circular.set(value, this.circular.size + 1);
        return `[Circular *${this.circular.get(value)}]`;
      }
      const custom = value[CUSTOM];
      if (typeof custom === "function") {
        const inspect = (inner, options) => lib.inspect(inner, { depth: this.depth - level, ...options });
        const shown = custom.call(value, this.depth - level, { depth: this.depth - level }, inspect);
        if (shown !== value) return typeof shown === "string" ? shown : this.show(shown, level);
      }
      this.seen.push(value);
      let text = this.compound(value, level);
      this.seen.pop();
      const number = this.circular?.get(value);
      if (number !== undefined) text = `<ref *${number}> ${text}`;
      return text;
    }

    compound(value, level) {
      for (let proto = Object.getPrototypeOf(value); proto !== null; proto = Object.getPrototypeOf(proto)) {
        const show = own.get(proto);
        if (show === undefined) continue;
        const name = classOf(value);
        if (level > this.depth) return `[${name}]`;
        const shown = show(value);
        return typeof shown === "string" ? shown : this.braces(`${name} `, this.properties(shown, level), "{", "}", level);
      }
      const name = classOf(value);
      if (Array.isArray(value)) {
        const prefix = name === "Array" ? "" : `${name ?? "[Array: null prototype]"}(${value.length}) `;
        if (level > this.depth) return `[${name ?? "Array"}]`;
        return this.braces(prefix, [...this.items(value, level), ...this.extra(value, level, true)], "[", "]", level);
      }
      if (typeof value === "function") {
        const source = Function.prototype.toString.call(value);
        const kind = source.startsWith("class") ? "class" : name ?? "Function";
        const label = value.name === "" ? `[${kind} (anonymous)]` : kind === "class" ? `[class ${value.name}]` : `[${kind}: ${value.name}]`;
        const extra = this.extra(value, level);
        return extra.length === 0 || level > this.depth ? label : this.braces(`${label} `, extra, "{", "}", level);
      }
      if (value instanceof Error) return this.error(value, level);
      if (value instanceof Promise) return this.promise(value);
      if (value instanceof Date) {
        const time = Date.prototype.getTime.call(value);
        return Number.isNaN(time) ? "Invalid Date" : Date.prototype.toISOString.call(value);
      }
      if (value instanceof RegExp) return RegExp.prototype.toString.call(value);
      if (value instanceof Map) {
        if (level > this.depth) return `[${name}]`;
        const items = [];
        for (const [key, item] of Map.prototype.entries.call(value)) {
          if (items.length === ITEMS_MAX) {
            items.push(`... ${value.size - ITEMS_MAX} more items`);
            break;
          }
          items.push(`${this.show(key, level + 1)} => ${this.show(item, level + 1)}`);
        }
        return this.braces(`${name}(${value.size}) `, [...items, ...this.extra(value, level)], "{", "}", level);
      }
      if (value instanceof Set) {
        if (level > this.depth) return `[${name}]`;
        const items = this.items([...Set.prototype.values.call(value)], level);
        return this.braces(`${name}(${value.size}) `, [...items, ...this.extra(value, level)], "{", "}", level);
      }
      // Which entries a weak collection still has depends on the garbage collector.
      if (value instanceof WeakMap || value instanceof WeakSet) return `${name} { <items unknown> }`;
      if (ArrayBuffer.isView(value) && tagOf.call(value) !== undefined) {
        if (level > this.depth) return `[${name}]`;
        const items = [];
        for (let i = 0; i < value.length && i < ITEMS_MAX; i++) items.push(primitive(value[i]));
        if (value.length > ITEMS_MAX) items.push(`... ${value.length - ITEMS_MAX} more items`);
        return this.braces(`${name}(${value.length}) `, items, "[", "]", level);
      }
      if (lib.isBuffer(value)) return `${name} { byteLength: ${value.byteLength} }`;
      if (value instanceof Number || value instanceof String || value instanceof Boolean || value instanceof BigInt) {
        return `[${name}: ${primitive(value.valueOf())}]`;
      }
      const tag = value[Symbol.toStringTag];
      let prefix = name === "Object" ? "" : `${name ?? "[Object: null prototype]"} `;
      if (typeof tag === "string" && tag !== "" && tag !== name) prefix = `${name ?? "Object"} [${tag}] `;
      if (level > this.depth) return `[${name === "Object" ? "Object" : prefix.trim()}]`;
      if (Object.prototype.toString.call(value) === "[object Arguments]") {
        return this.braces("[Arguments] ", this.items([...value], level), "[", "]", level);
      }
      return this.braces(prefix, this.extra(value, level), "{", "}", level);
    }

    error(error, level) {
      let text = errorText(error);
      if (level > 0) text = text.replaceAll("\n", `\n${"  ".repeat(level)}`);
      const extra = this.extra(error, level).filter((line) => !/^(stack|message|name): /.test(line));
      if (Object.hasOwn(error, "cause")) extra.push(`[cause]: ${this.show(error.cause, level + 1)}`);
      if (Array.isArray(error.errors)) extra.push(`[errors]: ${this.show(error.errors, level + 1)}`);
      if (extra.length === 0) return text;
      const inner = "  ".repeat(level + 1);
      return `${text} {\n${inner}${extra.join(`,\n${inner}`)}\n${"  ".repeat(level)}}`;
    }

    promise(promise) {
      const state = ["<pending>", "<fulfilled>", "<rejected>"][ops.promiseState(promise)];
      return `Promise { ${state} }`;
    }

    items(array, level) {
      const items = [];
      let hole = 0;
      const flush = () => {
        if (hole > 0) items.push(`<${hole} empty item${hole > 1 ? "s" : ""}>`);
        hole = 0;
      };
      for (let i = 0; i < array.length; i++) {
        if (items.length >= ITEMS_MAX) {
          const more = array.length - i;
          items.push(`... ${more} more item${more > 1 ? "s" : ""}`);
          return items;
        }
        if (!Object.hasOwn(array, i)) {
          hole++;
          if (hole > ITEMS_MAX) {
            // A sparse array may be four thousand million slots long.
            hole += array.length - i - 1;
            break;
          }
          continue;
        }
        flush();
        items.push(this.show(array[i], level + 1));
      }
      flush();
      return items;
    }

    // Own properties; of an array those that are not its items.
    extra(value, level, isArray = false) {
      const lines = [];
      for (const key of Reflect.ownKeys(value)) {
        if (isArray && typeof key === "string" && /^(0|[1-9]\d*)$/.test(key)) continue;
        const descriptor = Object.getOwnPropertyDescriptor(value, key);
        if (descriptor === undefined || (!descriptor.enumerable && !this.showHidden)) continue;
        if (lines.length === ITEMS_MAX) {
          lines.push("...");
          break;
        }
        lines.push(`${keyText(key)}: ${this.property(descriptor, level)}`);
      }
      return lines;
    }

    property(descriptor, level) {
      if (descriptor.get !== undefined) return descriptor.set === undefined ? "[Getter]" : "[Getter/Setter]";
      if (descriptor.set !== undefined) return "[Setter]";
      return this.show(descriptor.value, level + 1);
    }

    properties(record, level) {
      return Object.entries(record).map(([key, value]) => `${keyText(key)}: ${this.show(value, level + 1)}`);
    }

    braces(prefix, lines, open, close, level) {
      if (lines.length === 0) return `${prefix}${open}${close}`;
      let length = prefix.length + lines.length;
      let simple = true;
      for (const line of lines) {
        length += line.length + 1;
        if (line.includes("\n")) simple = false;
      }
      if (simple && length + level * 2 <= LINE) return `${prefix}${open} ${lines.join(", ")} ${close}`;
      const inner = "  ".repeat(level + 1);
      // Many short items, as of a long array of numbers, share lines.
      if (open === "[" && simple && lines.length > 6 && lines.every((line) => line.length <= 16)) {
        const width = Math.max(...lines.map((line) => line.length)) + 2;
        const columns = Math.max(1, Math.floor((LINE - level * 2) / width));
        const rows = [];
        for (let i = 0; i < lines.length; i += columns) rows.push(lines.slice(i, i + columns).join(", "));
        return `${prefix}${open}\n${inner}${rows.join(`,\n${inner}`)}\n${"  ".repeat(level)}${close}`;
      }
      return `${prefix}${open}\n${inner}${lines.join(`,\n${inner}`)}\n${"  ".repeat(level)}${close}`;
    }
  }

  lib.inspect = (value, options = {}) => {
    try {
      return new Inspector(options).show(value, 0);
    } catch (error) {
      lib.caught(error);
      return `[could not be shown: ${error?.message}]`;
    }
  };

  // console.log's arguments: a format string first, if it is one.
  lib.format = (args) => {
    let out = "";
    let next = 0;
    if (typeof args[0] === "string") {
      next = 1;
      out = args[0].replace(/%[sdifjoOc%]/g, (spec) => {
        if (spec === "%%") return args.length > 1 ? "%" : spec;
        if (next >= args.length) return spec;
        const value = args[next++];
        switch (spec) {
          case "%s":
            if (typeof value === "string") return value;
            if (typeof value === "object" && value !== null && !(value instanceof Error)) {
              return lib.inspect(value, { depth: 0 });
            }
            return typeof value === "bigint" ? `${value}n` : Object.is(value, -0) ? "-0" : String(value);
          case "%d":
            return typeof value === "bigint" ? `${value}n` : typeof value === "symbol" ? "NaN" : `${Number(value)}`;
          case "%i":
            return typeof value === "bigint" ? `${value}n` : typeof value === "symbol" ? "NaN" : `${parseInt(value)}`;
          case "%f":
            return typeof value === "symbol" ? "NaN" : `${parseFloat(value)}`;
          case "%j":
            try {
              return JSON.stringify(value);
            } catch {
              return "[Circular]";
            }
          case "%o":
            return lib.inspect(value, { depth: 4 });
          case "%O":
            return lib.inspect(value);
          default:
            return "";
        }
      });
    }
    for (; next < args.length; next++) {
      if (next > 0) out += " ";
      out += typeof args[next] === "string" ? args[next] : lib.inspect(args[next]);
    }
    return out;
  };
})
