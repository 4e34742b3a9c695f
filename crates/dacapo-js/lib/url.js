// URL and URLSearchParams. The parsing is native.
((ops, lib) => {
  "use strict";

  // Places in what ops.urlParse gives.
  const HREF = 0;
  const USERNAME = 2;
  const PASSWORD = 3;
  const SEARCH = 8;
  const CACHE_MAX = 64;

  // URLs as fetch and Request take them; services call the same few again and again.
  const cache = new Map();

  // The parsed parts of an absolute URL.
  lib.parseUrl = (text) => {
    let parts = cache.get(text);
    if (parts === undefined) {
      parts = ops.urlParse(text, null);
      if (parts === null) return null;
      if (cache.size >= CACHE_MAX) cache.clear();
      cache.set(text, parts);
    }
    return parts;
  };

  // The normalised form of a URL for a request.
  lib.requestUrl = (text) => {
    const parts = lib.parseUrl(text);
    if (parts === null) {
      const relative = /^[/.?#]/.test(text) || !text.includes(":");
      const hint = relative ? ": a service has no base URL, so the URL must be absolute" : "";
      throw new TypeError(`Invalid URL "${text}"${hint}`);
    }
    if (parts[USERNAME] !== "" || parts[PASSWORD] !== "") {
      throw new TypeError(`Request cannot be made from a URL that contains credentials: ${text}`);
    }
    return parts[HREF];
  };

  let listOf;
  let attach;
  let refill;

  class URLSearchParams {
    // [name, value, name, value, …]
    #list;
    #url = null;
    constructor(init = "") {
      if (typeof init === "object" && init !== null) {
        const iterator = init[Symbol.iterator];
        if (init instanceof URLSearchParams && iterator === URLSearchParams.prototype[Symbol.iterator]) {
          this.#list = init.#list.slice();
        } else if (iterator !== undefined && iterator !== null) {
          this.#list = [];
          for (const pair of init) {
            const entries = typeof pair === "object" && pair !== null ? [...pair] : null;
            if (entries?.length !== 2) throw new TypeError("URLSearchParams: each entry must be a name and a value");
            this.#list.push(`${entries[0]}`.toWellFormed(), `${entries[1]}`.toWellFormed());
          }
        } else {
          this.#list = [];
          for (const key of Reflect.ownKeys(init)) {
            if (!Object.getOwnPropertyDescriptor(init, key)?.enumerable) continue;
            this.#list.push(`${key}`.toWellFormed(), `${init[key]}`.toWellFormed());
          }
        }
        return;
      }
      const text = `${init}`;
      this.#list = text === "" ? [] : ops.urlencodedParse(text[0] === "?" ? text.slice(1) : text);
    }
    static {
      listOf = (params) => params.#list;
      attach = (params, url) => {
        params.#url = url;
      };
      refill = (params, search) => {
        params.#list = search === "" ? [] : ops.urlencodedParse(search.slice(1));
      };
    }
    #changed() {
      if (this.#url !== null) updateSearch(this.#url, ops.urlencodedSerialize(this.#list));
    }
    get size() {
      return this.#list.length / 2;
    }
    append(name, value) {
      this.#list.push(`${name}`.toWellFormed(), `${value}`.toWellFormed());
      this.#changed();
    }
    delete(name, value = undefined) {
      name = `${name}`;
      if (value !== undefined) value = `${value}`;
      const kept = [];
      for (let i = 0; i < this.#list.length; i += 2) {
        if (this.#list[i] === name && (value === undefined || this.#list[i + 1] === value)) continue;
        kept.push(this.#list[i], this.#list[i + 1]);
      }
      this.#list = kept;
      this.#changed();
    }
    get(name) {
      name = `${name}`;
      for (let i = 0; i < this.#list.length; i += 2) if (this.#list[i] === name) return this.#list[i + 1];
      return null;
    }
    getAll(name) {
      name = `${name}`;
      const values = [];
      for (let i = 0; i < this.#list.length; i += 2) if (this.#list[i] === name) values.push(this.#list[i + 1]);
      return values;
    }
    has(name, value = undefined) {
      name = `${name}`;
      if (value !== undefined) value = `${value}`;
      for (let i = 0; i < this.#list.length; i += 2) {
        if (this.#list[i] === name && (value === undefined || this.#list[i + 1] === value)) return true;
      }
      return false;
    }
    set(name, value) {
      name = `${name}`.toWellFormed();
      value = `${value}`.toWellFormed();
      const kept = [];
      let found = false;
      for (let i = 0; i < this.#list.length; i += 2) {
        if (this.#list[i] !== name) kept.push(this.#list[i], this.#list[i + 1]);
        else if (!found) {
          found = true;
          kept.push(name, value);
        }
      }
      if (!found) kept.push(name, value);
      this.#list = kept;
      this.#changed();
    }
    sort() {
      const pairs = [];
      for (let i = 0; i < this.#list.length; i += 2) pairs.push([this.#list[i], this.#list[i + 1]]);
      // By code units, as `<` compares.
      pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
      this.#list = pairs.flat();
      this.#changed();
    }
    toString() {
      return ops.urlencodedSerialize(this.#list);
    }
  }
  lib.interface(URLSearchParams);
  lib.pairIterable(URLSearchParams, (params) => listOf(params));
  lib.inspectAs(URLSearchParams, (params) => {
    const list = listOf(params);
    const lines = [];
    for (let i = 0; i < list.length; i += 2) lines.push(`${lib.inspect(list[i])} => ${lib.inspect(list[i + 1])}`);
    return `URLSearchParams {${lines.length === 0 ? "" : ` ${lines.join(", ")} `}}`;
  });

  let updateSearch;
  const PARTS = [
    "href", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash", "origin",
  ];

  class URL {
    #parts;
    #params = null;
    constructor(url, base = undefined) {
      if (arguments.length === 0) throw new TypeError("URL: an argument is required");
      const text = `${url}`;
      const parts = ops.urlParse(text, base === undefined ? null : `${base}`);
      if (parts === null) {
        const error = new TypeError(`Invalid URL: ${lib.inspect(text)}${base === undefined ? "" : ` with base ${lib.inspect(`${base}`)}`}`);
        error.code = "ERR_INVALID_URL";
        throw error;
      }
      this.#parts = parts;
    }
    static {
      // Lives here for the private fields.
      for (const [at, part] of PARTS.entries()) {
        Object.defineProperty(this.prototype, part, {
          get: { get() { return this.#parts[at]; } }.get,
          set: part === "origin" ? undefined : { set(value) { this.#set(part, value); } }.set,
          enumerable: true,
          configurable: true,
        });
      }
      updateSearch = (url, search) => {
        url.#parts = ops.urlSet(url.#parts[HREF], "search", search) ?? url.#parts;
      };
    }
    #set(part, value) {
      const parts = ops.urlSet(this.#parts[HREF], part, `${value}`);
      if (parts === null) {
        if (part === "href") throw new TypeError(`Invalid URL: ${lib.inspect(`${value}`)}`);
        return;
      }
      this.#parts = parts;
      if (this.#params !== null && (part === "href" || part === "search")) refill(this.#params, parts[SEARCH]);
    }
    static canParse(url, base = undefined) {
      return ops.urlParse(`${url}`, base === undefined ? null : `${base}`) !== null;
    }
    static parse(url, base = undefined) {
      return URL.canParse(url, base) ? new URL(url, base) : null;
    }
    get searchParams() {
      if (this.#params === null) {
        this.#params = new URLSearchParams(this.#parts[SEARCH]);
        attach(this.#params, this);
      }
      return this.#params;
    }
    toString() {
      return this.#parts[HREF];
    }
    toJSON() {
      return this.#parts[HREF];
    }
  }
  lib.interface(URL);
  lib.inspectAs(URL, (url) => {
    const shown = {};
    for (const part of ["href", "origin", ...PARTS.slice(1, 9)]) shown[part] = url[part];
    return { ...shown, searchParams: url.searchParams, hash: url.hash };
  });
})
