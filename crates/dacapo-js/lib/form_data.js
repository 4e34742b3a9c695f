// FormData, and multipart/form-data in both directions (RFC 7578, as the Fetch standard reads it).
((ops, lib) => {
  "use strict";

  const { File } = globalThis;
  let listOf;

  function valueOf(value, filename) {
    if (lib.isBlob(value)) {
      if (lib.isFile(value) && filename === undefined) return value;
      const name = filename ?? (lib.isFile(value) ? value.name : "blob");
      const lastModified = lib.isFile(value) ? value.lastModified : undefined;
      return new File([value], name, { type: value.type, lastModified });
    }
    if (filename !== undefined) throw new TypeError("FormData: only a Blob can have a file name");
    return `${value}`.toWellFormed();
  }

  class FormData {
    // [name, value, name, value, …]
    #list = [];
    constructor(form = undefined) {
      if (form !== undefined) throw new TypeError("FormData: there are no form elements here");
    }
    static {
      listOf = (form) => form.#list;
    }
    append(name, value, filename = undefined) {
      if (arguments.length < 2) throw new TypeError("FormData.append: a name and a value are required");
      this.#list.push(`${name}`.toWellFormed(), valueOf(value, filename));
    }
    delete(name) {
      name = `${name}`;
      const kept = [];
      for (let i = 0; i < this.#list.length; i += 2) {
        if (this.#list[i] !== name) kept.push(this.#list[i], this.#list[i + 1]);
      }
      this.#list = kept;
    }
    get(name) {
      name = `${name}`;
      for (let i = 0; i < this.#list.length; i += 2) if (this.#list[i] === name) return this.#list[i + 1];
      return null;
    }
    getAll(name) {
      name = `${name}`;
      return this.#list.filter((_, i, list) => i % 2 === 1 && list[i - 1] === name);
    }
    has(name) {
      name = `${name}`;
      return this.#list.some((item, i) => i % 2 === 0 && item === name);
    }
    set(name, value, filename = undefined) {
      if (arguments.length < 2) throw new TypeError("FormData.set: a name and a value are required");
      name = `${name}`.toWellFormed();
      value = valueOf(value, filename);
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
    }
  }
  lib.interface(FormData);
  lib.pairIterable(FormData, (form) => listOf(form));
  lib.isFormData = (value) => value instanceof FormData;
  lib.inspectAs(FormData, (form) => {
    const shown = {};
    for (const [name, value] of form) {
      shown[name] = Object.hasOwn(shown, name) ? [shown[name], value].flat() : value;
    }
    return shown;
  });

  const lines = (text) => text.replace(/\r\n?|\n/g, "\r\n");
  const escape = (text) => text.replaceAll("\n", "%0A").replaceAll("\r", "%0D").replaceAll('"', "%22");

  // [bytes, content type]
  lib.multipartWrite = (form) => {
    const random = new Uint8Array(12);
    ops.random(random);
    let boundary = "----dacapo-";
    for (let i = 0; i < random.length; i++) boundary += random[i].toString(16).padStart(2, "0");
    const chunks = [];
    const list = listOf(form);
    for (let i = 0; i < list.length; i += 2) {
      const value = list[i + 1];
      const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escape(lines(list[i]))}"`;
      if (typeof value === "string") {
        chunks.push(ops.utf8Encode(`${head}\r\n\r\n${lines(value)}\r\n`));
      } else {
        const type = value.type === "" ? "application/octet-stream" : value.type;
        chunks.push(ops.utf8Encode(`${head}; filename="${escape(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`));
        chunks.push(lib.blobBytes(value));
        chunks.push(ops.utf8Encode("\r\n"));
      }
    }
    chunks.push(ops.utf8Encode(`--${boundary}--\r\n`));
    return [lib.concat(chunks), `multipart/form-data; boundary=${boundary}`];
  };

  function find(bytes, needle, from) {
    const first = needle[0];
    for (let at = bytes.indexOf(first, from); at !== -1; at = bytes.indexOf(first, at + 1)) {
      if (at + needle.length > bytes.length) return -1;
      let i = 1;
      while (i < needle.length && bytes[at + i] === needle[i]) i++;
      if (i === needle.length) return at;
    }
    return -1;
  }

  const broken = (why) => new TypeError(`The body is not valid multipart/form-data: ${why}`);
  const BLANK = new Uint8Array([13, 10, 13, 10]);

  lib.multipartRead = (bytes, boundary) => {
    const form = new FormData();
    const mark = ops.utf8Encode(`--${boundary}`);
    const between = ops.utf8Encode(`\r\n--${boundary}`);
    let at = find(bytes, mark, 0);
    if (at === -1) throw broken("the boundary is missing");
    at += mark.length;
    for (;;) {
      if (bytes[at] === 45 && bytes[at + 1] === 45) return form;
      // Blanks may pad a boundary.
      while (bytes[at] === 32 || bytes[at] === 9) at++;
      if (bytes[at] !== 13 || bytes[at + 1] !== 10) throw broken("a boundary is not at the end of its line");
      at += 2;
      const headEnd = bytes[at] === 13 && bytes[at + 1] === 10 ? at - 2 : find(bytes, BLANK, at);
      if (headEnd === -1) throw broken("the head of a part does not end");
      const head = headEnd < at ? "" : lib.decodeUtf8(bytes.subarray(at, headEnd));
      const bodyStart = headEnd + 4;
      const bodyEnd = find(bytes, between, bodyStart);
      if (bodyEnd === -1) throw broken("the last part does not end");
      part(form, head, bytes.subarray(bodyStart, bodyEnd));
      at = bodyEnd + between.length;
    }
  };

  const unescape = (text) => text.replace(/%0A|%0D|%22|\\"/gi, (code) => {
    return { "%0a": "\n", "%0d": "\r" }[code.toLowerCase()] ?? '"';
  });

  function part(form, head, bytes) {
    let name = null;
    let filename = null;
    let type = "text/plain";
    for (const line of head.split("\r\n")) {
      const colon = line.indexOf(":");
      const key = line.slice(0, colon).trim().toLowerCase();
      const value = line.slice(colon + 1).trim();
      if (key === "content-type") type = value;
      if (key !== "content-disposition") continue;
      if (!/^form-data\s*(;|$)/i.test(value)) throw broken("a part is not form-data");
      for (const [, param, quoted, plain] of value.matchAll(/;\s*([\w*-]+)\s*=\s*(?:"((?:\\"|[^"])*)"|([^;\s]*))/g)) {
        const text = quoted === undefined ? plain : unescape(quoted);
        if (param.toLowerCase() === "name") name = text;
        if (param.toLowerCase() === "filename") filename = text;
      }
    }
    if (name === null) throw broken("a part has no name");
    if (filename === null) form.append(name, lib.decodeUtf8(bytes));
    else form.append(name, new File([bytes], filename, { type }));
  }

  lib.urlencodedRead = (text) => {
    const form = new FormData();
    const flat = text === "" ? [] : ops.urlencodedParse(text);
    for (let i = 0; i < flat.length; i += 2) form.append(flat[i], flat[i + 1]);
    return form;
  };
})
