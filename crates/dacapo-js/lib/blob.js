// Blob and File: bytes in memory.
((ops, lib) => {
  "use strict";

  const { INTERNAL } = lib;
  const CHUNK = 64 * 1024;

  let bytesOf;

  const typeText = (type) => {
    const text = `${type ?? ""}`;
    return /[^\x20-\x7e]/.test(text) ? "" : text.toLowerCase();
  };

  function gather(parts, endings, what) {
    if (parts === undefined) return new Uint8Array(0);
    if (typeof parts !== "object" || parts === null || typeof parts[Symbol.iterator] !== "function") {
      throw new TypeError(`${what}: the parts must be an iterable`);
    }
    const chunks = [];
    for (const part of parts) {
      if (part instanceof Blob) chunks.push(bytesOf(part));
      else if (ArrayBuffer.isView(part) || lib.isBuffer(part)) chunks.push(lib.copyBytes(part));
      else chunks.push(ops.utf8Encode(endings === "native" ? `${part}`.replace(/\r\n?/g, "\n") : `${part}`));
    }
    return chunks.length === 0 ? new Uint8Array(0) : lib.concat(chunks);
  }

  class Blob {
    // Never changes, so slices and other blobs may share it.
    #bytes;
    #type;
    constructor(parts = undefined, options = undefined, token = undefined) {
      if (token === INTERNAL) {
        this.#bytes = parts;
        this.#type = options;
        return;
      }
      this.#bytes = gather(parts, options?.endings, new.target.name);
      this.#type = typeText(options?.type);
    }
    static {
      bytesOf = (blob) => blob.#bytes;
    }
    get size() {
      return this.#bytes.length;
    }
    get type() {
      return this.#type;
    }
    slice(start = 0, end = this.#bytes.length, type = "") {
      const size = this.#bytes.length;
      const clamp = (n) => {
        n = Math.trunc(Number(n)) || 0;
        return n < 0 ? Math.max(size + n, 0) : Math.min(n, size);
      };
      const from = clamp(start);
      return new Blob(this.#bytes.subarray(from, Math.max(from, clamp(end))), typeText(type), INTERNAL);
    }
    stream() {
      const bytes = this.#bytes;
      let at = 0;
      return new ReadableStream(
        {
          type: "bytes",
          pull(controller) {
            if (at < bytes.length) {
              controller.enqueue(bytes.slice(at, at + CHUNK));
              at += CHUNK;
            }
            if (at >= bytes.length) {
              controller.close();
              controller.byobRequest?.respond(0);
            }
          },
        },
        { highWaterMark: 0 },
      );
    }
    text() {
      return lib.resolved(lib.decodeUtf8(this.#bytes));
    }
    arrayBuffer() {
      return lib.resolved(this.#bytes.slice().buffer);
    }
    bytes() {
      return lib.resolved(this.#bytes.slice());
    }
  }
  lib.interface(Blob);

  class File extends Blob {
    #name;
    #lastModified;
    constructor(parts, name, options = undefined) {
      if (arguments.length < 2) throw new TypeError("File: the parts and a name are required");
      super(parts, options);
      this.#name = `${name}`.toWellFormed();
      const modified = options?.lastModified;
      this.#lastModified = modified === undefined ? Date.now() : Math.trunc(Number(modified)) || 0;
    }
    get name() {
      return this.#name;
    }
    get lastModified() {
      return this.#lastModified;
    }
    get webkitRelativePath() {
      return "";
    }
  }
  lib.interface(File);

  lib.isBlob = (value) => value instanceof Blob;
  lib.isFile = (value) => value instanceof File;
  lib.blobBytes = bytesOf;
  lib.blobOf = (bytes, type) => new Blob(bytes, typeText(type), INTERNAL);
  lib.inspectAs(Blob, (blob) => ({ size: blob.size, type: blob.type }));
  lib.inspectAs(File, (file) => {
    const { size, type, name, lastModified } = file;
    return { size, type, name, lastModified };
  });
})
