// Headers: a view of the flat list that goes through the door. Messages keep the list and make the object only when
// a guest asks for it.
((ops, lib) => {
  "use strict";

  const { INTERNAL } = lib;
  const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
  const VALUE_BAD = /[\0\r\n]|[^\x00-\xff]/;
  const NAMES_MAX = 256;

  // Header names as guests spell them → lower-case. Services use a few again and again.
  const names = new Map();
  // Those that nearly all use are known from the start, as every context would compile the regular expression anew.
  const COMMON = ["Accept", "Authorization", "Cache-Control", "Content-Length", "Content-Type", "Cookie", "Location", "User-Agent"];
  for (const name of [...COMMON, "dacapo-event", "dacapo-rpc"]) {
    names.set(name, name.toLowerCase());
    names.set(name.toLowerCase(), name.toLowerCase());
  }

  function lower(name) {
    if (typeof name === "string") {
      const known = names.get(name);
      if (known !== undefined) return known;
    }
    name = `${name}`;
    if (!NAME.test(name)) throw new TypeError(`Invalid header name: ${lib.inspect(name)}`);
    const made = name.toLowerCase();
    if (names.size < NAMES_MAX) names.set(name, made);
    return made;
  }

  function isBad(text) {
    if (text.length > 32) return VALUE_BAD.test(text);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === 0 || code === 10 || code === 13 || code > 255) return true;
    }
    return false;
  }

  function clean(value, name) {
    let text = `${value}`;
    const first = text.charCodeAt(0);
    const last = text.charCodeAt(text.length - 1);
    if (first <= 32 || last <= 32) text = text.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
    if (isBad(text)) throw new TypeError(`Invalid value of header ${name}: ${lib.inspect(text)}`);
    return text;
  }

  // Work on flat lists.
  lib.flatGet = (flat, name) => {
    let found = null;
    for (let i = 0; i < flat.length; i += 2) {
      if (flat[i] === name) found = found === null ? flat[i + 1] : `${found}, ${flat[i + 1]}`;
    }
    return found;
  };
  lib.flatHas = (flat, name) => {
    for (let i = 0; i < flat.length; i += 2) if (flat[i] === name) return true;
    return false;
  };
  lib.flatWithout = (flat, drop) => {
    const kept = [];
    for (let i = 0; i < flat.length; i += 2) if (!drop.includes(flat[i])) kept.push(flat[i], flat[i + 1]);
    return kept;
  };

  // The flat list for a HeadersInit; always a new one.
  lib.flatOf = (init) => {
    if (init === undefined) return [];
    if (init instanceof Headers && init[Symbol.iterator] === ITERATE) return lib.flatOfHeaders(init).slice();
    if ((typeof init !== "object" && typeof init !== "function") || init === null) {
      throw new TypeError("Headers: neither a record of strings nor an iterable of pairs");
    }
    const flat = [];
    const iterator = init[Symbol.iterator];
    if (iterator !== undefined && iterator !== null) {
      for (const pair of init) {
        const entry = typeof pair === "object" && pair !== null ? [...pair] : null;
        if (entry?.length !== 2) throw new TypeError("Headers: each entry must be a name and a value");
        const name = lower(entry[0]);
        flat.push(name, clean(entry[1], name));
      }
      return flat;
    }
    for (const key of Object.keys(init)) {
      const name = lower(key);
      flat.push(name, clean(init[key], name));
    }
    return flat;
  };

  let make;

  class Headers {
    #flat;
    #immutable = false;
    // Sorted and combined, for iteration; null when the list has changed.
    #sorted = null;
    constructor(init = undefined, flat = undefined, immutable = false) {
      if (init === INTERNAL) {
        this.#flat = flat;
        this.#immutable = immutable;
        return;
      }
      this.#flat = lib.flatOf(init);
    }
    static {
      make = (flat, immutable) => new Headers(INTERNAL, flat, immutable);
      lib.flatOfHeaders = (headers) => headers.#flat;
      lib.sortedHeaders = (headers) => (headers.#sorted ??= sort(headers.#flat));
    }
    #write() {
      if (this.#immutable) throw new TypeError("These headers are immutable: make a copy with new Headers(headers)");
      this.#sorted = null;
    }
    append(name, value) {
      if (arguments.length < 2) throw new TypeError("Headers.append: a name and a value are required");
      name = lower(name);
      value = clean(value, name);
      this.#write();
      this.#flat.push(name, value);
    }
    delete(name) {
      name = lower(name);
      this.#write();
      const flat = this.#flat;
      let kept = 0;
      for (let i = 0; i < flat.length; i += 2) {
        if (flat[i] === name) continue;
        flat[kept++] = flat[i];
        flat[kept++] = flat[i + 1];
      }
      flat.length = kept;
    }
    get(name) {
      return lib.flatGet(this.#flat, lower(name));
    }
    getSetCookie() {
      return this.#flat.filter((_, i, flat) => i % 2 === 1 && flat[i - 1] === "set-cookie");
    }
    has(name) {
      return lib.flatHas(this.#flat, lower(name));
    }
    set(name, value) {
      if (arguments.length < 2) throw new TypeError("Headers.set: a name and a value are required");
      name = lower(name);
      value = clean(value, name);
      this.#write();
      const flat = this.#flat;
      let found = false;
      let kept = 0;
      for (let i = 0; i < flat.length; i += 2) {
        if (flat[i] === name) {
          if (found) continue;
          found = true;
          flat[kept++] = name;
          flat[kept++] = value;
        } else {
          flat[kept++] = flat[i];
          flat[kept++] = flat[i + 1];
        }
      }
      flat.length = kept;
      if (!found) flat.push(name, value);
    }
  }

  function sort(flat) {
    const all = new Set();
    for (let i = 0; i < flat.length; i += 2) all.add(flat[i]);
    const sorted = [];
    for (const name of [...all].sort()) {
      if (name !== "set-cookie") {
        sorted.push(name, lib.flatGet(flat, name));
        continue;
      }
      // Cookies cannot be combined: their dates contain commas.
      for (let i = 0; i < flat.length; i += 2) if (flat[i] === name) sorted.push(name, flat[i + 1]);
    }
    return sorted;
  }

  lib.interface(Headers);
  lib.pairIterable(Headers, (headers) => lib.sortedHeaders(headers));
  const ITERATE = Headers.prototype[Symbol.iterator];
  lib.makeHeaders = make;
  lib.inspectAs(Headers, (headers) => {
    const shown = {};
    for (const [name, value] of headers) {
      shown[name] = Object.hasOwn(shown, name) ? [shown[name], value].flat() : value;
    }
    return shown;
  });
})
