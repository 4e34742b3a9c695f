// Response.
((ops, lib) => {
  "use strict";

  const { INTERNAL } = lib;
  const BODILESS = [101, 204, 205, 304];
  const REDIRECTS = [301, 302, 303, 307, 308];
  const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;
  const { stringify } = JSON;

  class Response {
    #status = 200;
    #statusText = "";
    // Header fields as they go through the door; the object over them once a guest has asked.
    #flat;
    #headers = null;
    #body = null;
    #url = "";
    #redirected = false;
    #type = "default";

    constructor(body = null, init = undefined, flat = undefined, content = null, url = "") {
      if (body === INTERNAL) {
        this.#status = init;
        this.#flat = flat;
        this.#body = content;
        this.#url = url;
        return;
      }
      let headers;
      if (init !== undefined && init !== null) {
        if (typeof init !== "object" && typeof init !== "function") {
          throw new TypeError("Response: the second argument must be an object");
        }
        const { status, statusText } = init;
        if (status !== undefined) {
          const code = Math.trunc(Number(status));
          if (!(code >= 200 && code <= 599)) {
            throw new RangeError(`Response: the status ${lib.inspect(status)} is not between 200 and 599`);
          }
          this.#status = code;
        }
        if (statusText !== undefined) {
          this.#statusText = `${statusText}`;
          if (!REASON.test(this.#statusText)) throw new TypeError("Response: invalid characters in the status text");
        }
        headers = init.headers;
      }
      this.#flat = headers === undefined ? [] : lib.flatOf(headers);
      if (body !== null && body !== undefined) this.#take(lib.bodyOf(body));
    }
    #take(body) {
      if (BODILESS.includes(this.#status)) {
        throw new TypeError(`A response with status ${this.#status} cannot have a body`);
      }
      this.#body = body;
      if (body.type !== null && !lib.flatHas(this.#flat, "content-type")) this.#flat.push("content-type", body.type);
    }
    static {
      lib.isResponse = (value) => typeof value === "object" && value !== null && #flat in value;
      lib.responseStatus = (response) => response.#status;
      lib.responseFlat = (response) => response.#flat;
      lib.responseBody = (response) => response.#body;
      // One that came through the door.
      lib.responseReceived = (status, flat, body, url, redirected) => {
        const response = new Response(INTERNAL, status, flat, body, url);
        response.#type = "basic";
        response.#redirected = redirected;
        return response;
      };
      lib.mixBody(
        this,
        (response) => response.#body,
        (response) => lib.flatGet(response.#flat, "content-type"),
      );
    }
    static error() {
      const response = new Response(INTERNAL, 0, []);
      response.#type = "error";
      return response;
    }
    static json(data, init = undefined) {
      const text = stringify(data);
      if (text === undefined) throw new TypeError("Response.json: the value cannot be written as JSON");
      const response = new Response(null, init);
      const body = lib.bodyOf(text);
      body.type = "application/json";
      response.#take(body);
      return response;
    }
    static redirect(url, status = 302) {
      const parts = ops.urlParse(`${url}`, null);
      if (parts === null) throw new TypeError(`Response.redirect: ${lib.inspect(`${url}`)} is not an absolute URL`);
      if (!REDIRECTS.includes(status)) {
        throw new RangeError(`Response.redirect: ${lib.inspect(status)} is not one of ${REDIRECTS.join(", ")}`);
      }
      return new Response(INTERNAL, status, ["location", parts[0]]);
    }
    get status() {
      return this.#status;
    }
    get ok() {
      return this.#status >= 200 && this.#status < 300;
    }
    get statusText() {
      return this.#statusText;
    }
    get headers() {
      const immutable = this.#type !== "default";
      return (this.#headers ??= lib.makeHeaders(this.#flat, immutable));
    }
    get url() {
      return this.#url;
    }
    get redirected() {
      return this.#redirected;
    }
    get type() {
      return this.#type;
    }
    clone() {
      const body = this.#body;
      if (body !== null && body.unusable) throw lib.bodyUsedError();
      const copy = new Response(
        INTERNAL,
        this.#status,
        this.#flat.slice(),
        body === null ? null : body.clone(),
        this.#url,
      );
      copy.#statusText = this.#statusText;
      copy.#redirected = this.#redirected;
      copy.#type = this.#type;
      return copy;
    }
  }
  lib.interface(Response);
  lib.inspectAs(Response, (response) => {
    const { status, statusText, ok, url, headers, bodyUsed } = response;
    return { status, statusText, ok, url, headers, bodyUsed };
  });
})
