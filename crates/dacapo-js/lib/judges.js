// Judges over histories: those that are built in (in Rust), and a search for an order by a model that is written
// in JavaScript.
((ops, lib) => {
  "use strict";

  const { stringify, parse } = JSON;
  const ALWAYS = 0;
  const SOMETIMES = 1;
  const STEPS_MAX = 1_000_000;

  function judge(request) {
    const answer = ops.judge(request);
    if (answer === null) throw new Error("this program has no judges: workloads of scenarios have them");
    return parse(answer);
  }

  const ask = (history, name, options) =>
    judge(`{"moments":${lib.History.moments(history)},${stringify({ judge: name, ...options }).slice(1)}`);

  // A verdict is a check, and that there was one is another: judges that always give up prove nothing.
  function say({ verdict, text }, message) {
    if (verdict === "mistake") throw new TypeError(`${message}: ${text}`);
    lib.check(SOMETIMES, verdict !== "unknown", `${message}: decided`, verdict === "unknown" ? text : null);
    if (verdict === "unknown") ops.log(2, `${message}: undecided: ${text}`);
    else lib.check(ALWAYS, verdict === "holds", message, verdict === "holds" ? null : text);
    return verdict;
  }

  const millis = (ms, what) => {
    if (typeof ms !== "number" || !(ms > 0) || ms === Infinity) {
      throw new RangeError(`${what} must be a number of milliseconds, not ${lib.inspect(ms)}`);
    }
    return Math.round(ms * 1e6);
  };

  function linearizable(history, model, { initial = null, steps, message } = {}) {
    if (typeof model === "string") {
      const answer = ask(history, "linearizable", { model, initial, steps });
      return say(answer, message ?? `the history is linearizable (${model})`);
    }
    if (typeof model?.step !== "function") {
      throw new TypeError('linearizable: the model is "register", "counter", "set", "queue", "list" or an object with init and step');
    }
    return say(byModel(history, model, steps ?? STEPS_MAX), message ?? `the history is linearizable (${model.name ?? "model"})`);
  }

  function isolated(history, level, { data = "lists", message } = {}) {
    return say(ask(history, "isolated", { level, data }), message ?? `the transactions are ${level}`);
  }

  function exactlyOnce(history, books, { message = "each id happens exactly once" } = {}) {
    return say(ask(history, "exactly once", { books: [...books] }), message);
  }

  const GUARANTEES = ["read your writes", "monotonic reads", "monotonic writes", "writes follow reads"];

  function session(history, guarantees = GUARANTEES, { message } = {}) {
    guarantees = [guarantees].flat();
    return say(ask(history, "session", { guarantees }), message ?? `sessions have ${guarantees.join(", ")}`);
  }

  function progresses(history, { within = 1000, requestsMin, requestsPerDoneMax, message = "requests lead to something" } = {}) {
    const options = { within: millis(within, "progresses: within"), requestsMin, requestsPerDoneMax };
    return say(ask(history, "progresses", options), message);
  }

  // Looks again and again until the probe gives something true, or the time is over. A probe that throws has not
  // seen anything.
  async function converges(probe, { within = 60_000, every = 250, message = "the system converges" } = {}) {
    millis(within, "converges: within");
    millis(every, "converges: every");
    const begin = ops.now();
    for (;;) {
      let seen = false;
      let told;
      try {
        seen = await probe();
        told = lib.inspect(seen);
      } catch (error) {
        if (!lib.isNetworkFailure(error) && error?.durableObjectReset !== true && !(error instanceof lib.DOMException)) throw error;
        told = `${error}`;
      }
      const passed = ops.now() - begin;
      if (seen && passed <= within) return lib.check(ALWAYS, true, message, null);
      if (passed >= within) {
        return lib.check(ALWAYS, false, message, `not after ${within} ms; the last look, after ${Math.round(passed)} ms, saw: ${told}`);
      }
      await lib.sleep(every);
    }
  }

  // The same search as in Rust (Wing and Gong, with Lowe's memory), without its ways to be fast.
  function byModel(history, model, steps) {
    const keys = new Map();
    for (const entry of lib.History.entries(history)) {
      if (entry.outcome === "failed") continue;
      const key = model.perKey === false ? "" : stringify(entry.key);
      if (!keys.has(key)) keys.set(key, []);
      keys.get(key).push({ entry, returned: entry.outcome === "ok" ? entry.ended : Infinity });
    }
    const budget = { left: steps };
    for (const [key, entries] of keys) {
      const found = search(entries, model, budget);
      if (found === null) {
        return { verdict: "unknown", text: `key ${key}: ${entries.length} operations could not be judged in ${steps} steps (\`steps\`)` };
      }
      if (found.stuck !== undefined) return { verdict: "broken", text: tell(shrink(entries, found, model, budget), key, entries.length, model) };
    }
    return { verdict: "holds", text: "" };
  }

  const operation = ({ process, f, key, value, result, outcome }) => ({ process, f, key, value, result, outcome });

  // { order } if there is one; { stuck, furthest, state } if not; null if the budget is used up.
  function search(entries, model, budget) {
    const initial = typeof model.init === "function" ? model.init() : (model.init ?? null);
    const operations = entries.map(({ entry }) => Object.freeze(operation(entry)));
    const done = new Uint8Array(entries.length);
    const seen = new Set();
    const stack = [];
    let known = entries.filter((it) => it.returned !== Infinity).length;
    let worst = { stuck: -1, furthest: [], state: initial };
    // All before this one are done.
    let base = 0;
    const candidates = () => {
      let end = Infinity;
      while (base < entries.length && done[base]) base++;
      for (let i = base; i < entries.length && entries[i].entry.invoked < end; i++) if (!done[i]) end = Math.min(end, entries[i].returned);
      const found = [];
      for (let i = base; i < entries.length && entries[i].entry.invoked < end; i++) if (!done[i]) found.push(i);
      return { found: found.reverse(), end };
    };
    const visit = (state) => {
      const { found, end } = candidates();
      if (end > worst.stuck) worst = { stuck: end, furthest: stack.map((it) => it.taken), state };
      stack.push({ state, found, taken: -1 });
    };
    if (known === 0) return { order: [] };
    visit(initial);
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.taken >= 0) {
        done[top.taken] = 0;
        base = Math.min(base, top.taken);
        if (entries[top.taken].returned !== Infinity) known++;
        top.taken = -1;
      }
      const next = top.found.pop();
      if (next === undefined) {
        stack.pop();
        continue;
      }
      if (--budget.left < 0) return null;
      // A model may answer with the state alone, or not at all.
      const answer = model.step(parse(stringify(top.state)), operations[next]);
      if (!answer || answer.ok === false) continue;
      const state = parse(stringify(answer.state ?? null));
      const text = stringify(state);
      if (entries[next].returned === Infinity && text === stringify(top.state)) continue;
      done[next] = 1;
      while (base < entries.length && done[base]) base++;
      const key = `${base} ${done.subarray(base).join("").replace(/0+$/, "")} ${text}`;
      if (seen.has(key)) {
        done[next] = 0;
        continue;
      }
      seen.add(key);
      top.taken = next;
      if (entries[next].returned !== Infinity && --known === 0) return { order: stack.map((it) => it.taken) };
      visit(state);
    }
    return worst;
  }

  // Cuts the history at the end that no order gets past, and leaves out what the model says only reads.
  function shrink(entries, found, model, budget) {
    const cut = (all, end) =>
      all
        .filter((it) => it.entry.invoked < end)
        .map((it) => (it.returned <= end ? it : { ...it, returned: Infinity }));
    let left = cut(entries, found.stuck);
    const reads = model.reads ?? [];
    for (let i = left.length - 1; i >= 0; i--) {
      if (!reads.includes(left[i].entry.f)) continue;
      const trial = left.toSpliced(i, 1);
      const again = search(trial, model, budget);
      if (again === null) break;
      if (again.stuck === undefined) continue;
      [left, found] = [cut(trial, again.stuck), again];
      i = Math.min(i, left.length);
    }
    // The places of the order are those of what is left.
    const last = search(left, model, { left: STEPS_MAX });
    return { left, found: last ?? { furthest: [], state: null, stuck: found.stuck } };
  }

  function tell({ left, found }, key, count, model) {
    const bars = left.map(({ entry, returned }) => ({ entry, returned: returned === Infinity ? null : returned, isStuck: returned === found.stuck }));
    const label = (entry) => {
      const told = [entry.f, ...[entry.value].filter((it) => it !== null).map((it) => stringify(it))].join(" ");
      if (entry.outcome === "unknown") return `${told} ?`;
      return entry.result === null ? told : `${told} → ${stringify(entry.result)}`;
    };
    const drawing = judge(
      stringify({
        judge: "draw",
        bars: bars.map(({ entry, returned, isStuck }) => [entry.process, label(entry), entry.invoked, returned, isStuck]),
      }),
    ).text;
    const order = found.furthest.map((place) => label(left[place].entry)).join(", ");
    const stuck = bars.find((bar) => bar.isStuck);
    return [
      `key ${key === "" ? "null" : key}: not linearizable as ${model.name ?? "the model"} (${left.length} of ${count} operations suffice):`,
      "",
      drawing,
      order === "" ? `  nothing can come first, and then the state is ${stringify(found.state)},` : `  the longest order: ${order}; then the state is ${stringify(found.state)},`,
      `  and ✗ ${stuck === undefined ? "the last one" : label(stuck.entry)} must have come by now and cannot`,
    ].join("\n");
  }

  lib.judges = {
    history: () => new lib.History(),
    Refused: lib.Refused,
    linearizable,
    isolated,
    serializable: (history, options) => isolated(history, "serializable", options),
    exactlyOnce,
    session,
    progresses,
    converges,
  };
})
