// The streams of vendor/web-streams.js as globals, and the text streams on top of them.
((ops, lib) => {
  "use strict";

  const { streams } = lib;
  for (const name of Object.keys(streams)) {
    if (name !== "__esModule") lib.global(name, streams[name]);
  }
  const { ReadableStream, WritableStream, TransformStream } = streams;

  // Whether somebody has read from the stream or cancelled it.
  lib.isDisturbed = (stream) => stream._disturbed;
  // Makes it look as if somebody had.
  lib.disturb = (stream) => {
    stream._disturbed = true;
  };
  lib.isReadable = (value) => value instanceof ReadableStream;

  lib.inspectAs(ReadableStream, (stream) => ({ locked: stream.locked, state: stream._state }));
  lib.inspectAs(WritableStream, (stream) => ({ locked: stream.locked, state: stream._state }));
  lib.inspectAs(TransformStream, (stream) => ({ readable: stream.readable, writable: stream.writable }));

  class TextEncoderStream {
    #high = "";
    #transform;
    constructor() {
      this.#transform = new TransformStream({
        transform: (chunk, controller) => {
          let text = this.#high + `${chunk}`;
          this.#high = "";
          // A character outside the first plane may be cut in two by the chunks.
          const last = text.charCodeAt(text.length - 1);
          if (last >= 0xd800 && last <= 0xdbff) {
            this.#high = text[text.length - 1];
            text = text.slice(0, -1);
          }
          if (text !== "") controller.enqueue(ops.utf8Encode(text));
        },
        flush: (controller) => {
          if (this.#high !== "") controller.enqueue(new Uint8Array([0xef, 0xbf, 0xbd]));
        },
      });
    }
    get encoding() {
      return "utf-8";
    }
    get readable() {
      return this.#transform.readable;
    }
    get writable() {
      return this.#transform.writable;
    }
  }
  lib.interface(TextEncoderStream);

  const { TextDecoder } = globalThis;

  class TextDecoderStream {
    #decoder;
    #transform;
    constructor(label = "utf-8", options = undefined) {
      this.#decoder = new TextDecoder(label, options);
      this.#transform = new TransformStream({
        transform: (chunk, controller) => {
          const text = this.#decoder.decode(chunk, { stream: true });
          if (text !== "") controller.enqueue(text);
        },
        flush: (controller) => {
          const text = this.#decoder.decode();
          if (text !== "") controller.enqueue(text);
        },
      });
    }
    get encoding() {
      return this.#decoder.encoding;
    }
    get fatal() {
      return this.#decoder.fatal;
    }
    get ignoreBOM() {
      return this.#decoder.ignoreBOM;
    }
    get readable() {
      return this.#transform.readable;
    }
    get writable() {
      return this.#transform.writable;
    }
  }
  lib.interface(TextDecoderStream);
})
