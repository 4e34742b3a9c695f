// The batch of messages that a consumer of a queue is given. (The queue itself: queue.js.)
((ops, lib) => {
  "use strict";

  const { INTERNAL } = lib;
  const { Date, Object, RangeError, Response, TypeError, Uint8Array } = globalThis;
  // By these fields the platform's own services hand events over. The runtime drops them from anybody else's requests.
  const EVENT = "dacapo-event";
  const TAKE = "dacapo-take";
  const ACK = true;
  // As at Cloudflare.
  const DELAY_MAX = 12 * 3600;

  const delayOf = (seconds, what) => {
    if (seconds === undefined || seconds === null) return null;
    const number = Number(seconds);
    if (!(number >= 0 && number <= DELAY_MAX)) {
      throw new RangeError(`${what}: delaySeconds must be from 0 to ${DELAY_MAX}, not ${lib.inspect(seconds)}`);
    }
    return Math.trunc(number) * 1000;
  };

  class Message {
    #verdict = null;
    id;
    timestamp;
    body;
    attempts;
    constructor(token, { id, sent, body, attempts }) {
      if (token !== INTERNAL) throw new TypeError("Illegal constructor");
      this.id = id;
      this.timestamp = new Date(sent);
      this.body = ops.deserialize(body);
      this.attempts = attempts;
    }
    // What is said first counts.
    ack() {
      this.#verdict ??= ACK;
    }
    retry(options = {}) {
      const delay = delayOf(options?.delaySeconds, "retry");
      this.#verdict ??= { delay };
    }
    static verdictOf(message) {
      return message.#verdict;
    }
  }
  const { verdictOf } = Message;
  delete Message.verdictOf;
  lib.interface(Message, { hidden: true });

  class MessageBatch {
    queue;
    messages;
    constructor(token, queue, messages) {
      if (token !== INTERNAL) throw new TypeError("Illegal constructor");
      this.queue = queue;
      this.messages = Object.freeze(messages);
    }
    ackAll() {
      for (const message of this.messages) message.ack();
    }
    retryAll(options = {}) {
      delayOf(options?.delaySeconds, "retryAll");
      for (const message of this.messages) message.retry(options);
    }
  }
  lib.interface(MessageBatch, { hidden: true });

  // Of a request: which event it hands over; null: none, it is a request.
  lib.eventOf = (flat) => (lib.flatHas(flat, EVENT) ? lib.flatGet(flat, EVENT) : null);

  // Gives a batch to a consumer's handler; answers what shall become of each message. `handler` is null where the
  // service has none.
  lib.takeBatch = async (request, handler, env, context) => {
    const { queue, messages: all } = ops.deserialize(new Uint8Array(await request.arrayBuffer()));
    const answer = (outcome) => new Response(lib.pack(outcome), { headers: { [EVENT]: "done" } });
    if (handler === null) return answer({ missing: true });
    // All of them, unless Sim has split the batch.
    const messages = all.slice(0, Number(request.headers.get(TAKE))).map((message) => new Message(INTERNAL, message));
    let fallback = ACK;
    try {
      await handler.queue(new MessageBatch(INTERNAL, queue, messages.slice()), env, context);
    } catch (error) {
      ops.log(3, `queue (${queue}) failed: ${lib.stackOf(error)}`);
      fallback = { delay: null };
    }
    return answer({ verdicts: messages.map((message) => verdictOf(message) ?? fallback) });
  };

  lib.queues = { ACK, EVENT, TAKE, delayOf };
})
