// Request.
((ops, lib) => {
  "use strict";

  const { INTERNAL } = lib;
  const { AbortSignal } = globalThis;
  const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
  const UPPER = { delete: "DELETE", get: "GET", head: "HEAD", options: "OPTIONS", post: "POST", put: "PUT" };
  const REDIRECTS = ["follow", "error", "manual"];
  const BODY_HEADERS = ["content-encoding", "content-language", "content-location", "content-type", "content-length"];

  function normalise(method) {
    if (method === "GET" || method === "POST") return method;
    const text = `${method}`;
    if (!TOKEN.test(text)) throw new TypeError(`${lib.inspect(text)} is not a valid HTTP method`);
    const key = text.toLowerCase();
    if (key === "connect" || key === "trace" || key === "track") {
      throw new TypeError(`The method ${text} cannot be used here`);
    }
    return Object.hasOwn(UPPER, key) ? UPPER[key] : text;
  }

  class Request {
    // What is asked for: { method, url, flat, body, signal, redirect }. The signal is the one that was given.
    #record;
    #headers = null;
    #signal = null;
    #immutable = false;
    constructor(input, init = undefined, immutable = false) {
      if (input === INTERNAL) {
        this.#record = init;
        this.#immutable = immutable;
        return;
      }
      if (arguments.length === 0) throw new TypeError("Request: a URL or a Request is required");
      this.#record = lib.requestRecord(input, init, false);
    }
    static {
      lib.isRequest = (value) => typeof value === "object" && value !== null && #record in value;

      // What `new Request(input, init)` and `fetch(input, init)` make of their arguments. `sent` says that the body
      // leaves at once, so that a stream need not be wrapped for a second owner.
      lib.requestRecord = (input, init, sent) => {
        const from = lib.isRequest(input) ? input : null;
        const base = from === null ? null : from.#record;
        let method = base === null ? "GET" : base.method;
        let redirect = base === null ? "follow" : base.redirect;
        let signal = base === null ? null : from.signal;
        const url = base === null ? lib.requestUrl(`${input}`) : base.url;
        let flat = null;
        let content = null;
        if (init !== undefined && init !== null) {
          if (typeof init !== "object" && typeof init !== "function") {
            throw new TypeError("Request: the second argument must be an object");
          }
          if (init.method !== undefined) method = normalise(init.method);
          const { headers, body } = init;
          if (headers !== undefined) flat = lib.flatOf(headers);
          if (body !== undefined) content = body;
          if (init.redirect !== undefined) {
            redirect = `${init.redirect}`;
            if (!REDIRECTS.includes(redirect)) {
              throw new TypeError(`Request: ${lib.inspect(redirect)} is not one of follow, error, manual`);
            }
          }
          if (init.signal !== undefined) {
            signal = init.signal;
            if (signal !== null && !lib.isAbortSignal(signal)) {
              throw new TypeError("Request: init.signal is not an AbortSignal");
            }
          }
        }
        if (flat === null) flat = base === null ? [] : base.flat.slice();
        let body = null;
        const bodiless = method === "GET" || method === "HEAD";
        if (content !== null) {
          if (bodiless) throw new TypeError(`A ${method} request cannot have a body`);
          body = lib.bodyOf(content);
          if (body.type !== null && !lib.flatHas(flat, "content-type")) flat.push("content-type", body.type);
        } else if (base !== null && base.body !== null) {
          if (base.body.unusable) throw lib.bodyUsedError();
          if (bodiless) throw new TypeError(`A ${method} request cannot have a body`);
          body = base.body;
          if (!sent) body = body.move();
        }
        return { method, url, flat, body, signal, redirect };
      };

      lib.requestMade = (record, immutable) => new Request(INTERNAL, record, immutable);
      lib.requestBody = (request) => request.#record.body;
      // Whoever made this request no longer waits. Costs nothing if no one looked at the signal.
      lib.abortRequest = (request) => {
        const reason = () => new lib.DOMException("The client has gone away", "AbortError");
        if (request.#signal !== null) {
          lib.abortSignal(request.#signal, reason());
        } else {
          request.#signal = AbortSignal.abort(reason());
        }
      };
      lib.mixBody(
        this,
        (request) => request.#record.body,
        (request) => lib.flatGet(request.#record.flat, "content-type"),
      );
    }
    get method() {
      return this.#record.method;
    }
    get url() {
      return this.#record.url;
    }
    get headers() {
      return (this.#headers ??= lib.makeHeaders(this.#record.flat, this.#immutable));
    }
    get redirect() {
      return this.#record.redirect;
    }
    get signal() {
      if (this.#signal === null) {
        const given = this.#record.signal;
        this.#signal = given === null ? lib.newSignal() : AbortSignal.any([given]);
      }
      return this.#signal;
    }
    // What a browser would ask for beyond these. Constant here: there is no page, no cache and no cookie jar.
    get cache() {
      return "default";
    }
    get credentials() {
      return "same-origin";
    }
    get destination() {
      return "";
    }
    get duplex() {
      return "half";
    }
    get integrity() {
      return "";
    }
    get keepalive() {
      return false;
    }
    get mode() {
      return "cors";
    }
    get referrer() {
      return "about:client";
    }
    get referrerPolicy() {
      return "";
    }
    clone() {
      const { body } = this.#record;
      if (body !== null && body.unusable) throw lib.bodyUsedError();
      return new Request(
        INTERNAL,
        {
          ...this.#record,
          flat: this.#record.flat.slice(),
          body: body === null ? null : body.clone(),
          signal: this.signal,
        },
        this.#immutable,
      );
    }
  }
  lib.interface(Request);
  lib.BODY_HEADERS = BODY_HEADERS;
  lib.inspectAs(Request, (request) => {
    const { method, url, headers, redirect, bodyUsed } = request;
    return { method, url, headers, redirect, bodyUsed };
  });
})
