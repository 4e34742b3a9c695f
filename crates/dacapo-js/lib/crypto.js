// crypto: random values and digests. Randomness belongs to the run, so the same seed gives the same values.
((ops, lib) => {
  "use strict";

  const { INTERNAL } = lib;
  const RANDOM_MAX = 65_536;
  const DIGESTS = ["SHA-1", "SHA-256", "SHA-384", "SHA-512"];
  const INTEGERS = [
    "Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array",
    "BigInt64Array", "BigUint64Array",
  ];
  const tagOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get;
  const MISSING = [
    "decrypt", "deriveBits", "deriveKey", "encrypt", "exportKey", "generateKey", "importKey", "sign", "unwrapKey",
    "verify", "wrapKey",
  ];

  class SubtleCrypto {
    constructor(token) {
      if (token !== INTERNAL) throw new TypeError("Illegal constructor");
    }
    async digest(algorithm, data) {
      const name = `${typeof algorithm === "object" && algorithm !== null ? algorithm.name : algorithm}`.toUpperCase();
      if (!DIGESTS.includes(name)) {
        throw new lib.DOMException(`digest: the algorithm ${name} is not known`, "NotSupportedError");
      }
      const bytes = ops.digest(name, lib.viewBytes(data, "crypto.subtle.digest: the data"));
      return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
    }
  }
  for (const name of MISSING) {
    const operation = {
      async [name]() {
        throw new lib.DOMException(`crypto.subtle.${name} is not supported yet`, "NotSupportedError");
      },
    };
    Object.defineProperty(SubtleCrypto.prototype, name, { value: operation[name], writable: true, configurable: true });
  }
  lib.interface(SubtleCrypto);

  class Crypto {
    #subtle = new SubtleCrypto(INTERNAL);
    constructor(token) {
      if (token !== INTERNAL) throw new TypeError("Illegal constructor");
    }
    get subtle() {
      return this.#subtle;
    }
    getRandomValues(array) {
      if (!ArrayBuffer.isView(array) || !INTEGERS.includes(tagOf.call(array))) {
        throw new lib.DOMException("getRandomValues: not an array of integers", "TypeMismatchError");
      }
      if (array.byteLength > RANDOM_MAX) {
        throw new lib.DOMException(`getRandomValues: more than ${RANDOM_MAX} bytes at once`, "QuotaExceededError");
      }
      ops.random(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
      return array;
    }
    randomUUID() {
      return ops.uuid();
    }
  }
  lib.interface(Crypto);
  lib.global("crypto", new Crypto(INTERNAL));
})
