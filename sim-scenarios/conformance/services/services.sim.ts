// Asks `front` for each of its tricks, then `back` by the workload's own right.

const PATHS = [
  "/vars", "/binding", "/any-host", "/request", "/name", "/many", "/denied", "/denied-host", "/unknown", "/bad-url",
  "/after", "/modules", "/none",
];

export async function setup(env: any) {
  for (const path of PATHS) {
    const answer = await fetch(`https://front.example${path}`);
    console.log(`${path}: ${answer.status} ${await answer.text()}`);
  }
}

// After the response, and after everything has become quiet.
export const judgments = {
  async "what was to happen after the response has happened"(env: any) {
    const answer = await env.FRONT.fetch("https://front.example/remembered");
    console.log(`/remembered: ${answer.status} ${await answer.text()}`);
    const back = await env.BACK.fetch("https://back.internal/direct");
    console.log(`back: ${back.status} ${await back.text()}`);
  },
};
