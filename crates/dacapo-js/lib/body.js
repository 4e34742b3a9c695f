// The body of a Request or a Response. It stays what it was given as (a string, bytes, chunks on their way) for as
// long as possible, and becomes a stream only when a guest touches `.body` or clones what is still arriving.
((ops, lib) => {
  "use strict";

  const { Incoming } = lib;
  const { ReadableStream, TransformStream, URLSearchParams } = globalThis;

  // On a stream that was made from a body: { source, shared }. As long as nobody has read from it, the source can be
  // used in its place: frameworks like to write `new Response(response.body, response)`.
  const ORIGIN = Symbol("origin");

  const untouched = (stream) => {
    const origin = stream[ORIGIN];
    return origin === undefined || stream.locked || lib.isDisturbed(stream) ? null : origin;
  };
  // The same, and from here on the stream is locked and counts as read.
  const takeOrigin = (stream) => {
    const origin = untouched(stream);
    if (origin !== null) {
      stream.getReader();
      lib.disturb(stream);
    }
    return origin;
  };

  class Body {
    // string | Uint8Array | Incoming | null, where null means: see the stream
    source;
    stream = null;
    used = false;
    // The content type that goes with it, or null.
    type;
    // The bytes belong to somebody else too, and must be copied before a guest gets them.
    shared = false;

    constructor(source, type) {
      this.source = source;
      this.type = type;
    }

    get disturbed() {
      return this.used || (this.stream !== null && lib.isDisturbed(this.stream));
    }
    get unusable() {
      return this.used || (this.stream !== null && (lib.isDisturbed(this.stream) || this.stream.locked));
    }

    toStream() {
      if (this.stream !== null) return this.stream;
      const source = this.source;
      if (this.used) {
        // The bytes are gone; what the guest sees is a stream that has been read.
        this.stream = new ReadableStream({ start: (controller) => controller.close() });
        this.stream.cancel();
      } else {
        const origin = { source, shared: this.shared };
        this.stream = source instanceof Incoming ? streamOf(source) : streamOfWhole(origin);
        Object.defineProperty(this.stream, ORIGIN, { value: origin });
      }
      this.source = null;
      return this.stream;
    }

    // A second body with the same content.
    clone() {
      if (this.stream === null && !(this.source instanceof Incoming)) {
        this.shared = true;
        const copy = new Body(this.source, this.type);
        copy.shared = true;
        return copy;
      }
      const origin = this.stream === null ? null : untouched(this.stream);
      if (origin !== null && !(origin.source instanceof Incoming)) {
        origin.shared = true;
        const copy = new Body(origin.source, this.type);
        copy.shared = true;
        return copy;
      }
      const [mine, other] = this.toStream().tee();
      this.stream = mine;
      const copy = new Body(null, this.type);
      copy.stream = other;
      return copy;
    }

    // Gives the content away: string, Uint8Array, Incoming or ReadableStream. The body counts as used.
    handOver() {
      const { stream } = this;
      const content = stream === null ? this.source : takeOrigin(stream)?.source ?? stream;
      this.used = true;
      this.source = null;
      return content;
    }
    // Moves the content into a new body, as `new Request(request)` does.
    move() {
      const body = new Body(this.source, this.type);
      body.shared = this.shared;
      const origin = this.stream === null ? null : takeOrigin(this.stream);
      if (origin !== null) {
        body.source = origin.source;
        body.shared = origin.shared;
      } else if (this.stream !== null) {
        // The old stream stays with the old request, locked.
        const identity = new TransformStream();
        lib.then(this.stream.pipeTo(identity.writable), lib.noop, lib.noop);
        body.stream = identity.readable;
      }
      this.used = true;
      this.source = null;
      return body;
    }
  }

  function streamOfWhole(origin) {
    const pull = (controller) => {
      const { source, shared } = origin;
      const bytes = typeof source === "string" ? ops.utf8Encode(source) : shared ? source.slice() : source;
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
      controller.byobRequest?.respond(0);
    };
    return new ReadableStream({ type: "bytes", pull }, { highWaterMark: 0 });
  }

  function streamOf(incoming) {
    const pull = (controller) => {
      const chunk = incoming.take();
      if (chunk !== undefined) {
        if (chunk.length > 0) {
          controller.enqueue(chunk);
          return undefined;
        }
        return pull(controller);
      }
      if (incoming.ended) {
        if (incoming.failure !== undefined) {
          controller.error(incoming.failure.error);
        } else {
          controller.close();
          controller.byobRequest?.respond(0);
        }
        return undefined;
      }
      return new Promise((resolve) => {
        incoming.wait(() => resolve(pull(controller)));
      });
    };
    return new ReadableStream({ type: "bytes", pull, cancel: () => incoming.cancel() }, { highWaterMark: 0 });
  }

  // A BodyInit, not null, as a Body.
  lib.bodyOf = (init) => {
    if (typeof init === "string") return new Body(init.toWellFormed(), "text/plain;charset=UTF-8");
    if (typeof init === "object") {
      if (ArrayBuffer.isView(init) || lib.isBuffer(init)) return new Body(lib.copyBytes(init), null);
      if (lib.isReadable(init)) {
        if (lib.isDisturbed(init) || init.locked) {
          throw new TypeError("The stream given as a body has been read from already, or is locked");
        }
        const body = new Body(null, null);
        body.stream = init;
        return body;
      }
      if (lib.isBlob(init)) {
        const body = new Body(lib.blobBytes(init), init.type === "" ? null : init.type);
        body.shared = true;
        return body;
      }
      if (init instanceof URLSearchParams) {
        return new Body(init.toString(), "application/x-www-form-urlencoded;charset=UTF-8");
      }
      if (lib.isFormData(init)) {
        const [bytes, type] = lib.multipartWrite(init);
        return new Body(bytes, type);
      }
    }
    return new Body(`${init}`.toWellFormed(), "text/plain;charset=UTF-8");
  };

  // A body that came through the door.
  lib.bodyReceived = (source) => new Body(source, null);

  const used = () => new TypeError("The body has been read already, or its stream is locked");

  async function drain(stream) {
    const reader = stream.getReader();
    const chunks = [];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (!(value instanceof Uint8Array)) {
        const error = new TypeError("A body's stream must give Uint8Arrays; this one gave something else");
        lib.then(reader.cancel(error), lib.noop, lib.noop);
        throw error;
      }
      chunks.push(value);
    }
    return chunks.length === 0 ? new Uint8Array(0) : chunks.length === 1 ? chunks[0] : lib.concat(chunks);
  }

  // Reads everything and gives `finish(content, shared)` a string or a Uint8Array.
  function consume(body, finish) {
    if (body === null) return settle(finish, "", false);
    if (body.unusable) return lib.rejected(used());
    let { source, shared } = body;
    if (body.stream !== null) {
      const origin = takeOrigin(body.stream);
      // Locked by its reader from here on, which makes it used.
      if (origin === null) return lib.then(drain(body.stream), (bytes) => finish(bytes, false));
      ({ source, shared } = origin);
    }
    body.used = true;
    body.source = null;
    if (source instanceof Incoming) return lib.then(source.readAll(), (bytes) => finish(bytes, false));
    return settle(finish, source, shared);
  }

  function settle(finish, content, shared) {
    try {
      return lib.resolved(finish(content, shared));
    } catch (error) {
      return lib.rejected(error);
    }
  }

  const asText = (content) => (typeof content === "string" ? stripMark(content) : lib.decodeUtf8(content));
  const stripMark = (text) => (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  const asJson = (content) => lib.jsonParse(asText(content));
  const asBytes = (content, shared) => {
    if (typeof content === "string") return ops.utf8Encode(content);
    return shared ? content.slice() : content;
  };
  const asBuffer = (content, shared) => {
    const bytes = asBytes(content, shared);
    return bytes.length === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
  };

  function asForm(content, type) {
    const essence = (type ?? "").split(";", 1)[0].trim().toLowerCase();
    if (essence === "application/x-www-form-urlencoded") return lib.urlencodedRead(asText(content));
    if (essence === "multipart/form-data") {
      const found = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type);
      if (found === null) throw new TypeError("The content type of this multipart body has no boundary");
      return lib.multipartRead(asBytes(content, false), found[1] ?? found[2]);
    }
    throw new TypeError(`A body of type ${lib.inspect(type)} cannot be read as a form`);
  }

  // Gives a class the members of the Body mixin. `bodyFor(object)` finds the Body or null; `typeFor(object)`, the
  // value of its content-type header or null.
  lib.mixBody = (cls, bodyFor, typeFor) => {
    // Rejects instead of throwing on a wrong receiver, as promise-returning operations do.
    const reader = (finish) => function (self) {
      let body;
      try {
        body = bodyFor(self);
      } catch (error) {
        return lib.rejected(error);
      }
      return consume(body, finish);
    };
    const text = reader(asText);
    const json = reader(asJson);
    const bytes = reader(asBytes);
    const buffer = reader(asBuffer);
    const members = {
      get body() {
        const body = bodyFor(this);
        return body === null ? null : body.toStream();
      },
      get bodyUsed() {
        const body = bodyFor(this);
        return body !== null && body.disturbed;
      },
      text() {
        return text(this);
      },
      json() {
        return json(this);
      },
      bytes() {
        return bytes(this);
      },
      arrayBuffer() {
        return buffer(this);
      },
      blob() {
        const type = typeFor(this) ?? "";
        return consume(bodyFor(this), (content, shared) => lib.blobOf(asBytes(content, shared), type));
      },
      formData() {
        const type = typeFor(this);
        return consume(bodyFor(this), (content) => asForm(content, type));
      },
    };
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(members))) {
      Object.defineProperty(cls.prototype, name, descriptor);
    }
  };

  lib.bodyUsedError = used;
})
