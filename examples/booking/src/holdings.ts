// What a booking can hold of something that there is so much of: a seat, a room, money.

import { DurableObject } from "cloudflare:workers";

export type Answer = "held" | "refused" | "given back";

export abstract class Holdings<Env = unknown> extends DurableObject<Env> {
  /** How much there is. */
  abstract readonly total: number;

  /** Holds so much for a booking, once, however often it is asked to. */
  hold(booking: string, amount: number): Answer {
    const before = this.ctx.storage.kv.get<Answer>(`answer/${booking}`);
    if (before !== undefined) return before;
    const held = this.ctx.storage.kv.get<number>("held") ?? 0;
    if (held + amount > this.total) return this.#answer(booking, "refused");
    this.ctx.storage.kv.put("held", held + amount);
    this.ctx.storage.kv.put(`amount/${booking}`, amount);
    return this.#answer(booking, "held");
  }

  /** Gives back what a booking holds. Whoever asks for it later, because his request was slow, gets nothing. */
  giveBack(booking: string): Answer {
    const amount = this.ctx.storage.kv.get<number>(`amount/${booking}`) ?? 0;
    this.ctx.storage.kv.put("held", (this.ctx.storage.kv.get<number>("held") ?? 0) - amount);
    this.ctx.storage.kv.delete(`amount/${booking}`);
    return this.#answer(booking, "given back");
  }

  /** The bookings that hold something, and how much is held. */
  holders(): { bookings: string[]; held: number; total: number } {
    const bookings = [...this.ctx.storage.kv.list<number>({ prefix: "amount/" })].map(([key]) => key.slice("amount/".length));
    return { bookings, held: this.ctx.storage.kv.get<number>("held") ?? 0, total: this.total };
  }

  #answer(booking: string, answer: Answer): Answer {
    this.ctx.storage.kv.put(`answer/${booking}`, answer);
    return answer;
  }
}
