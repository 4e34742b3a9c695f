// TextEncoder, TextDecoder, atob and btoa.
((ops, lib) => {
  "use strict";

  // Native decoders that nobody is using, by what they decode. A decoder is taken for a call and kept only in the
  // middle of a stream, so that guests may make as many TextDecoders as they like.
  const idle = new Map();
  const names = new Map();

  function take(label, fatal, ignoreBOM) {
    const key = `${label} ${fatal} ${ignoreBOM}`;
    let free = idle.get(key);
    if (free === undefined) idle.set(key, (free = []));
    if (free.length > 0) return { id: free.pop(), free };
    const made = ops.decoderNew(label, fatal, ignoreBOM);
    return made === null ? null : { id: made[0], free };
  }

  // UTF-8 to text as body readers do: errors become U+FFFD, a byte order mark is dropped.
  let utf8 = -1;
  lib.decodeUtf8 = (bytes) => {
    if (bytes.length === 0) return "";
    if (utf8 === -1) utf8 = ops.decoderNew("utf-8", false, false)[0];
    return ops.decode(utf8, bytes, false);
  };
  lib.encodeUtf8 = (text) => ops.utf8Encode(text);

  class TextDecoder {
    #label;
    #name;
    #fatal;
    #ignoreBOM;
    #held = null;
    constructor(label = "utf-8", options = undefined) {
      this.#label = `${label}`.trim().toLowerCase();
      this.#fatal = Boolean(options?.fatal);
      this.#ignoreBOM = Boolean(options?.ignoreBOM);
      let name = names.get(this.#label);
      if (name === undefined) {
        const made = ops.decoderNew(this.#label, this.#fatal, this.#ignoreBOM);
        if (made === null) throw new RangeError(`The encoding label "${label}" is not known`);
        name = made[1].toLowerCase();
        const key = `${this.#label} ${this.#fatal} ${this.#ignoreBOM}`;
        if (!idle.has(key)) idle.set(key, []);
        idle.get(key).push(made[0]);
        names.set(this.#label, name);
      }
      this.#name = name;
    }
    get encoding() {
      return this.#name;
    }
    get fatal() {
      return this.#fatal;
    }
    get ignoreBOM() {
      return this.#ignoreBOM;
    }
    decode(input = undefined, options = undefined) {
      const stream = Boolean(options?.stream);
      const bytes = input === undefined ? new Uint8Array(0) : lib.viewBytes(input, "TextDecoder.decode: the input");
      const decoder = this.#held ?? take(this.#label, this.#fatal, this.#ignoreBOM);
      this.#held = stream ? decoder : null;
      const text = ops.decode(decoder.id, bytes, stream);
      if (text === null) this.#held = null;
      if (this.#held === null) decoder.free.push(decoder.id);
      if (text === null) throw new TypeError(`The encoded data was not valid for encoding ${this.#name}`);
      return text;
    }
  }
  lib.interface(TextDecoder);

  class TextEncoder {
    get encoding() {
      return "utf-8";
    }
    encode(input = "") {
      return ops.utf8Encode(`${input}`);
    }
    encodeInto(source, destination) {
      if (!(destination instanceof Uint8Array)) {
        throw new TypeError("TextEncoder.encodeInto: the destination must be a Uint8Array");
      }
      const [read, written] = ops.utf8EncodeInto(`${source}`, destination);
      return { read, written };
    }
  }
  lib.interface(TextEncoder);

  const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const VALUES = new Int8Array(128).fill(-1);
  for (let i = 0; i < 64; i++) VALUES[ALPHABET.charCodeAt(i)] = i;

  const invalid = (message) => new lib.DOMException(message, "InvalidCharacterError");

  lib.global("btoa", function btoa(data) {
    if (arguments.length === 0) throw new TypeError("btoa: an argument is required");
    const text = `${data}`;
    let out = "";
    for (let i = 0; i < text.length; i += 3) {
      const left = text.length - i;
      const a = text.charCodeAt(i);
      const b = left > 1 ? text.charCodeAt(i + 1) : 0;
      const c = left > 2 ? text.charCodeAt(i + 2) : 0;
      if ((a | b | c) > 255) throw invalid("btoa: the string contains characters outside of Latin-1");
      out += ALPHABET[a >> 2] + ALPHABET[((a & 3) << 4) | (b >> 4)];
      out += left > 1 ? ALPHABET[((b & 15) << 2) | (c >> 6)] : "=";
      out += left > 2 ? ALPHABET[c & 63] : "=";
    }
    return out;
  });

  lib.global("atob", function atob(data) {
    if (arguments.length === 0) throw new TypeError("atob: an argument is required");
    let text = `${data}`.replace(/[\t\n\f\r ]+/g, "");
    if (text.length % 4 === 0) text = text.replace(/==?$/, "");
    if (text.length % 4 === 1) throw invalid("atob: the string is not correctly encoded");
    let out = "";
    let bits = 0;
    let count = 0;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      const value = code < 128 ? VALUES[code] : -1;
      if (value === -1) throw invalid("atob: the string is not correctly encoded");
      bits = ((bits << 6) | value) & 0xffffff;
      count += 6;
      if (count >= 8) {
        count -= 8;
        out += String.fromCharCode((bits >> count) & 255);
      }
    }
    return out;
  });
})
