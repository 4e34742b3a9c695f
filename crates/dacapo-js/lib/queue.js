// Queues: env.NAME.send() of a producer, and the durable object that a queue is: the class Queue of the module
// "dacapo:queues", which a service of the platform's own runs. What a consumer gets of it: queue_batch.js.
((ops, lib) => {
  "use strict";

  const { INTERNAL } = lib;
  const { AbortController, Date, Error, JSON, Math, Object, Response, TypeError, Uint8Array } = globalThis;
  const { DurableObject } = lib.modules["dacapo:workers"];
  const SERVICE = "dacapo:queues";
  const NAMESPACE = `${SERVICE}.Queue`;
  const { ACK, EVENT, TAKE, delayOf } = lib.queues;

  // All as at Cloudflare.
  const MESSAGE_MAX = 128_000;
  const BATCH_MAX = 256_000;
  const COUNT_MAX = 100;
  const HANDLER_MAX = 15 * 60_000;

  // --- The producer's side ---

  const bodyOf = (body, type, what) => {
    switch (type) {
      case "v8":
        return body;
      case "json": {
        const text = JSON.stringify(body);
        if (text === undefined) throw new TypeError(`${what}: ${lib.inspect(body, { depth: 0 })} has no JSON text`);
        return lib.jsonParse(text);
      }
      case "text":
        if (typeof body !== "string") throw new TypeError(`${what}: a body of contentType "text" must be a string`);
        return body;
      case "bytes":
        return lib.viewBytes(body, `${what}: a body of contentType "bytes"`).slice().buffer;
      default:
        throw new TypeError(`${what}: contentType must be "v8", "json", "text" or "bytes", not ${lib.inspect(type)}`);
    }
  };

  const messageOf = (body, options, what) => {
    if (typeof options !== "object" || options === null) throw new TypeError(`${what}: the options must be an object`);
    const { contentType = "v8", delaySeconds } = options;
    if (body === undefined) throw new TypeError(`${what}: a body is required`);
    const bytes = lib.pack(bodyOf(body, contentType, what));
    if (bytes.length > MESSAGE_MAX) {
      throw new Error(`${what}: a message has at most ${MESSAGE_MAX} bytes, and this one has ${bytes.length}`);
    }
    return { id: ops.uuid().replaceAll("-", ""), body: bytes, delay: delayOf(delaySeconds, what) };
  };

  class Queue {
    #binding;
    #object;
    constructor(token, binding, name) {
      if (token !== INTERNAL) throw new TypeError("Illegal constructor");
      this.#binding = binding;
      this.#object = ops.objectIdFromName(NAMESPACE, name);
    }
    async send(body, options = {}) {
      const message = messageOf(body, options ?? {}, "send");
      await lib.callMethod(this.#binding, this.#object, "send", [[message]]);
    }
    async sendBatch(messages, options = {}) {
      const delay = delayOf(options?.delaySeconds, "sendBatch");
      const list = [];
      let bytes = 0;
      for (const entry of messages) {
        if (typeof entry !== "object" || entry === null || !("body" in entry)) {
          throw new TypeError("sendBatch: each message must be an object { body, contentType?, delaySeconds? }");
        }
        const message = messageOf(entry.body, entry, "sendBatch");
        message.delay ??= delay;
        bytes += message.body.length;
        list.push(message);
      }
      if (list.length === 0) throw new TypeError("sendBatch() requires at least one message");
      if (list.length > COUNT_MAX) throw new Error(`sendBatch: at most ${COUNT_MAX} messages at once, not ${list.length}`);
      if (bytes > BATCH_MAX) throw new Error(`sendBatch: at most ${BATCH_MAX} bytes at once, not ${bytes}`);
      await lib.callMethod(this.#binding, this.#object, "send", [list]);
    }
  }
  lib.interface(Queue, { hidden: true });
  lib.newQueue = (binding, name) => new Queue(INTERNAL, binding, name);

  // --- The queue itself ---

  const WAITING = 0;
  const BUSY = 1;
  const DEAD = 2;
  // While something is under way, the queue looks after it this often: whoever has it may be gone.
  const LOOK_AFTER = 10_000;
  // How long what cannot be delivered at present waits: the consumer has no handler, the dead-letter queue is not there.
  const LATER = 10_000;

  const SCHEMA = `
    create table if not exists message (
      seq integer primary key autoincrement, id text unique not null, body blob not null, sent integer not null,
      due integer not null, attempts integer not null default 0, state integer not null default ${WAITING}
    );
    create index if not exists message_due on message (state, due, seq)`;

  const placeholders = (list) => list.map(() => "?").join(",");

  class QueueObject extends DurableObject {
    #name;
    #settings;
    #sql;
    // Batches under way, and whether dead letters are.
    #running = 0;
    #burying = false;

    constructor(ctx, env) {
      super(ctx, env);
      const id = `${ctx.id}`;
      this.#name = Object.keys(env.queues).find((name) => ops.objectIdFromName(NAMESPACE, name) === id);
      this.#settings = env.queues[this.#name];
      this.#sql = ctx.storage.sql;
      for (const statement of SCHEMA.split(";")) this.#sql.exec(statement);
      if (this.#settings !== undefined) this.#recover();
    }

    // What was under way when the object came to its end: nobody knows what became of it, so it is delivered again, as
    // often as it may be. (It may have been what took the node down.)
    #recover() {
      const spent = this.#sql
        .exec(`select seq, id, attempts from message where state = ${BUSY} and attempts > ?`, this.#settings.retries)
        .toArray();
      for (const { seq, id, attempts } of spent) this.#give(seq, id, attempts);
      this.#sql.exec(`update message set state = ${WAITING} where state = ${BUSY}`);
    }

    // Takes messages: they are durable when the sender hears of it. One that is here already is not taken again.
    send(messages) {
      const now = Date.now();
      for (const { id, body, delay } of messages) {
        const due = now + (delay ?? this.#settings.delay);
        this.#sql.exec("insert or ignore into message (id, body, sent, due) values (?, ?, ?, ?)", id, body, now, due);
      }
      this.#pump();
    }

    alarm() {
      if (this.#settings === undefined) {
        // It stays on the disk, for the day on which the queue is declared again.
        ops.log(2, "a queue that the configuration does not have any more still holds messages");
        return;
      }
      this.#pump();
    }

    // Hands over what is due, as far as that may be, and says when to look again.
    #pump() {
      while (this.#running < this.#settings.concurrency) {
        const batch = this.#take();
        if (batch === null) break;
        this.ctx.waitUntil(this.#deliver(batch));
      }
      if (!this.#burying) this.ctx.waitUntil(this.#bury());
      this.#arm();
    }

    #take() {
      const { batch, wait } = this.#settings;
      const now = Date.now();
      const rows = this.#sql
        .exec(
          `select seq, id, body, sent, due, attempts from message where state = ${WAITING} and due <= ?
             order by due, seq limit ?`,
          now,
          batch,
        )
        .toArray();
      if (rows.length === 0 || (rows.length < batch && now < rows[0].due + wait)) return null;
      const fitting = [];
      let bytes = 0;
      for (const row of rows) {
        bytes += row.body.byteLength;
        if (fitting.length > 0 && bytes > BATCH_MAX) break;
        row.attempts++;
        fitting.push(row);
      }
      const seqs = fitting.map((row) => row.seq);
      // Before it leaves: an attempt counts even if this queue comes to its end with it.
      this.#sql.exec(
        `update message set state = ${BUSY}, attempts = attempts + 1 where seq in (${placeholders(seqs)})`,
        ...seqs,
      );
      return fitting;
    }

    async #deliver(batch) {
      this.#running++;
      const messages = batch.map(({ id, body, sent, attempts }) => ({ id, body: new Uint8Array(body), sent, attempts }));
      let outcome;
      try {
        outcome = await this.#hand(messages);
      } catch (error) {
        ops.log(2, `a batch of the queue ${this.#name} was lost: ${lib.messageOf(error)}`);
        outcome = { verdicts: batch.map(() => ({ delay: null })) };
      }
      this.#running--;
      this.#settle(batch, outcome);
      this.#pump();
    }

    // Calls the consumer's handler.
    async #hand(messages) {
      const { consumer } = this.#settings;
      const controller = new AbortController();
      const late = () => controller.abort(new Error(`the handler took longer than ${HANDLER_MAX / 60_000} minutes`));
      const timer = lib.setTimer(late, HANDLER_MAX);
      try {
        const headers = { [EVENT]: "queue", [TAKE]: `${messages.length}` };
        const body = lib.pack({ queue: this.#name, messages });
        const init = { method: "POST", headers, body, signal: controller.signal };
        const response = await lib.fetch(consumer, `https://${consumer}.internal/`, init);
        const bytes = new Uint8Array(await response.arrayBuffer());
        if (response.headers.get(EVENT) === "done") return ops.deserialize(bytes);
        // The runtime itself has answered: the consumer came to its end.
        throw new Error(lib.textOf(bytes));
      } finally {
        lib.clearTimer(timer);
      }
    }

    #settle(batch, { missing = false, verdicts = [] }) {
      if (missing) {
        ops.log(
          3,
          `The service ${this.#settings.consumer} is the consumer of the queue ${this.#name} and has no ` +
            "export default { queue(batch, env, ctx) { … } }. Its messages wait.",
        );
      }
      batch.forEach(({ seq, id, attempts }, at) => {
        const verdict = verdicts[at];
        if (verdict === ACK) {
          this.#sql.exec("delete from message where seq = ?", seq);
        } else if (verdict === undefined) {
          // Not handed over at all, so it does not count.
          this.#again(seq, attempts - 1, missing ? LATER : 0);
        } else if (attempts > this.#settings.retries) {
          this.#give(seq, id, attempts);
        } else {
          this.#again(seq, attempts, verdict.delay ?? this.#settings.retryDelay);
        }
      });
    }

    #again(seq, attempts, delay) {
      this.#sql.exec(
        `update message set state = ${WAITING}, attempts = ?, due = ? where seq = ?`,
        attempts,
        Date.now() + delay,
        seq,
      );
    }

    // It was tried often enough.
    #give(seq, id, attempts) {
      const { deadLetter } = this.#settings;
      if (deadLetter === null) {
        ops.log(2, `the queue ${this.#name} drops the message ${id}, which was tried ${attempts} times`);
        this.#sql.exec("delete from message where seq = ?", seq);
      } else {
        this.#sql.exec(`update message set state = ${DEAD}, due = ? where seq = ?`, Date.now(), seq);
      }
    }

    // Moves dead letters to their queue. They keep their ids, so that one which arrives twice is not there twice.
    async #bury() {
      this.#burying = true;
      for (;;) {
        const letters = this.#sql
          .exec(`select seq, id, body from message where state = ${DEAD} and due <= ? order by seq limit 10`, Date.now())
          .toArray();
        if (letters.length === 0) break;
        const seqs = letters.map((letter) => letter.seq);
        const to = this.env.Queue.getByName(this.#settings.deadLetter);
        try {
          await to.send(letters.map(({ id, body }) => ({ id, body: new Uint8Array(body), delay: null })));
          this.#sql.exec(`delete from message where seq in (${placeholders(seqs)})`, ...seqs);
        } catch (error) {
          ops.log(2, `dead letters of the queue ${this.#name} could not be moved: ${lib.messageOf(error)}`);
          this.#sql.exec(
            `update message set due = ? where seq in (${placeholders(seqs)})`,
            Date.now() + LATER,
            ...seqs,
          );
        }
      }
      this.#burying = false;
      this.#arm();
    }

    // Sets the alarm for the next moment at which there is something to do. An earlier one stays.
    #arm() {
      const { batch, wait, concurrency } = this.#settings;
      const first = (sql, ...values) => this.#sql.exec(sql, ...values).raw().next().value?.[0] ?? null;
      const nth = `select due from message where state = ? order by due, seq limit 1 offset ?`;
      const times = [];
      if (this.#running < concurrency) {
        const oldest = first(nth, WAITING, 0);
        if (oldest !== null) times.push(oldest + wait);
        const full = first(nth, WAITING, batch - 1);
        if (full !== null) times.push(full);
      }
      const dead = first(nth, DEAD, 0);
      const now = Date.now();
      if (dead !== null) times.push(this.#burying ? now + LOOK_AFTER : dead);
      if (this.#running > 0) times.push(now + LOOK_AFTER);
      if (times.length === 0) return;
      const next = Math.max(Math.min(...times), now + 1);
      const set = ops.storageAlarm();
      if (set === null || set > next) this.ctx.storage.setAlarm(next);
    }
  }
  Object.defineProperty(QueueObject, "name", { value: "Queue" });

  lib.modules[SERVICE] = { Queue: QueueObject, default: {} };
})
