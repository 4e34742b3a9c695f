// Loops for ever if it is asked to, in one of several ways.

let served = 0;

const loops: Record<string, () => void> = {
  "/while"() {
    while (true);
  },
  "/for"() {
    for (let i = 0; ; i++) if (i < 0) break;
  },
  "/functions"() {
    const twice = (n: number): number => (n === 0 ? 0 : twice(n - 1) + twice(n - 1));
    twice(60);
  },
  "/catch"() {
    // Nothing that a guest does keeps it alive past its budget.
    for (;;) {
      try {
        for (;;);
      } catch {
      } finally {
        continue;
      }
    }
  },
  "/promises"() {
    // Microtasks belong to the turn: one that always makes another is a loop, too.
    const again = (): void => void Promise.resolve().then(again);
    again();
  },
  "/backtracks"() {
    // 2^40 ways to match: V8 changes to its engine of linear time when it has tried too many.
    if (/^(a+)+$/.test("a".repeat(40) + "b")) throw new Error("it does not match");
  },
};

export default {
  async fetch(request: Request): Promise<Response> {
    loops[new URL(request.url).pathname]?.();
    return Response.json(++served);
  },
};
