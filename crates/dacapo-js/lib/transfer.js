// Bodies on their way. A sender may be WINDOW bytes ahead of its reader; what the reader takes comes back as credit.
// No stream objects here: they are made in body.js when a guest asks for one.
((ops, lib) => {
  "use strict";

  // Credit goes back in portions, not for every small chunk.
  const PORTION = lib.WINDOW / 4;

  // The reading end of a body that arrives in chunks.
  class Incoming {
    #pull;
    #cancel;
    #id;
    #chunks = [];
    #owed = 0;
    #done = false;
    #error = undefined;
    #waiting = null;
    #discarding = false;

    // `pull` is the operation that returns credit for `id`; `cancel`, that tells the sender to give up.
    constructor(pull, cancel, id) {
      this.#pull = pull;
      this.#cancel = cancel;
      this.#id = id;
    }

    push(bytes) {
      if (this.#done) return;
      if (this.#discarding) {
        this.#credit(bytes.length);
        return;
      }
      this.#chunks.push(bytes);
      this.#wake();
    }
    end() {
      this.#done = true;
      this.#wake();
    }
    fail(error) {
      if (this.#done) return;
      this.#done = true;
      this.#error = { error };
      this.#chunks = [];
      this.#wake();
    }

    // The next chunk, or undefined if there is none at the moment.
    take() {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) this.#credit(chunk.length);
      return chunk;
    }
    get ended() {
      return (this.#done || this.#discarding) && this.#chunks.length === 0;
    }
    // `{ error }` if the body broke off.
    get failure() {
      return this.#error;
    }
    // Calls back once, when there is a chunk, the end or a failure.
    wait(callback) {
      this.#waiting = callback;
    }
    // The reader has lost interest. A request's body cannot be refused by itself, so it is let in and dropped.
    cancel() {
      if (this.#done) return;
      if (this.#cancel !== null) {
        this.#done = true;
        this.#chunks = [];
        this.#cancel(this.#id);
      } else {
        this.discard();
      }
    }
    // Lets the rest in and drops it. Whoever reads later is told.
    discard() {
      if (!this.#done) {
        this.#discarding = true;
        this.#error = { error: new TypeError("The request's body was not read before the response was complete") };
      }
      while (this.take() !== undefined);
      this.#wake();
    }

    // All of it, as a promise of one Uint8Array.
    readAll() {
      return new Promise((resolve, reject) => {
        const all = [];
        const step = () => {
          for (let chunk = this.take(); chunk !== undefined; chunk = this.take()) all.push(chunk);
          if (!this.ended) this.wait(step);
          else if (this.#error !== undefined) reject(this.#error.error);
          else resolve(all.length === 0 ? new Uint8Array(0) : lib.concat(all));
        };
        step();
      });
    }

    #wake() {
      const waiting = this.#waiting;
      this.#waiting = null;
      if (waiting !== null) waiting();
    }
    #credit(n) {
      this.#owed += n;
      // A sender that has finished needs no more.
      if (this.#owed < PORTION || this.#done) return;
      this.#pull(this.#id, this.#owed);
      this.#owed = 0;
    }
  }

  // The writing end. `source` is an Incoming (a body that is passed on) or a ReadableStream.
  class Outgoing {
    #send;
    #id;
    #credit = lib.WINDOW;
    #open = true;
    #source;
    #reader = null;
    #rest = null;
    #finished;

    // `send` is the operation that takes chunks for `id`; `finished` is called once, however it ends.
    constructor(send, id, source, finished) {
      this.#send = send;
      this.#id = id;
      this.#source = source;
      this.#finished = finished;
    }
    start() {
      if (this.#source instanceof Incoming) {
        this.#passOn();
      } else {
        this.#reader = this.#source.getReader();
        this.#read();
      }
    }

    credit(n) {
      this.#credit += n;
      if (!this.#open) return;
      if (this.#reader === null) this.#passOn();
      else if (this.#rest !== null && this.#flush()) this.#read();
    }

    // Whoever reads this is gone.
    cancel(reason) {
      if (!this.#open) return;
      this.#open = false;
      this.#rest = null;
      if (this.#reader === null) this.#source.cancel();
      else lib.then(this.#reader.cancel(reason), lib.noop, lib.noop);
      this.#finished();
    }

    #passOn() {
      const source = this.#source;
      for (;;) {
        if (!this.#open) return;
        if (this.#rest !== null && !this.#flush()) return;
        const chunk = source.take();
        if (chunk === undefined) break;
        this.#rest = chunk;
      }
      if (!source.ended) source.wait(() => this.#passOn());
      else if (source.failure === undefined) this.#close(null);
      else this.#close(lib.messageOf(source.failure.error));
    }

    #read() {
      lib.then(
        this.#reader.read(),
        ({ done, value }) => {
          if (!this.#open) return;
          if (done) {
            this.#close(null);
          } else if (!(value instanceof Uint8Array)) {
            const error = new TypeError("A body's stream must give Uint8Arrays; this one gave something else");
            lib.then(this.#reader.cancel(error), lib.noop, lib.noop);
            this.#close(lib.messageOf(error));
            ops.log(3, lib.stackOf(error));
          } else {
            this.#rest = value;
            if (this.#flush()) this.#read();
          }
        },
        (error) => {
          if (this.#open) this.#close(lib.messageOf(error));
        },
      );
    }

    // Sends what the credit allows; true if nothing is left.
    #flush() {
      const rest = this.#rest;
      if (rest.length > this.#credit) {
        if (this.#credit > 0) {
          this.#send(this.#id, rest.slice(0, this.#credit));
          this.#rest = rest.subarray(this.#credit);
          this.#credit = 0;
        }
        return false;
      }
      if (rest.length > 0) this.#send(this.#id, rest);
      this.#credit -= rest.length;
      this.#rest = null;
      return true;
    }

    #close(last) {
      this.#open = false;
      this.#send(this.#id, last);
      this.#finished();
    }
  }

  lib.Incoming = Incoming;
  lib.Outgoing = Outgoing;
})
