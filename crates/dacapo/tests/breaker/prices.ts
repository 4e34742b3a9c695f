// Prices for customers. Whatever becomes of the market, they get an answer: the latest price that is known.

interface Service {
  fetch(url: string, init?: RequestInit): Promise<Response>;
}

interface Env {
  MARKET: Service;
}

type Mode = "steady" | "wary" | "alarmed" | "shut" | "trial" | "probation";

let mode: Mode = "steady";
let known = 100;

export default {
  async fetch(_: Request, env: Env): Promise<Response> {
    const price = await ask(env);
    if (price === null) failed();
    else succeeded(price);
    return Response.json({ price: known });
  },
};

async function ask(env: Env): Promise<number | null> {
  try {
    const answer = await env.MARKET.fetch("https://market.internal/price", { signal: AbortSignal.timeout(300) });
    return (await answer.json()).price;
  } catch {
    return null;
  }
}

// Three failures in a row shut the breaker. A success is then a trial, and a second one opens it again.
function failed(): void {
  if (mode === "steady") mode = "wary";
  else if (mode === "wary") mode = "alarmed";
  else if (mode === "alarmed") mode = "shut";
  else if (mode === "trial") mode = "probation";
  else if (mode === "probation") {
    // The planted bug: a second failure on probation forgets what was known.
    known = 0;
    mode = "shut";
  }
}

function succeeded(price: number): void {
  known = price;
  if (mode === "shut") mode = "trial";
  else mode = "steady";
}
