// Lists in memory, and transactions on them: POST a list of ["r", key, null] and ["append", key, value].

type Micro = [string, string, any];

const lists: Record<string, number[]> = {};

export default {
  async fetch(request: Request, env: any): Promise<Response> {
    const micros: Micro[] = await request.json();
    // Reads come from a snapshot ...
    const snapshot = structuredClone(lists);
    const lengths = Object.fromEntries(micros.map(([, key]) => [key, snapshot[key]?.length ?? 0]));
    const answer = micros.map(([f, key, value]): Micro => {
      if (f === "r") return [f, key, [...(snapshot[key] ?? [])]];
      (snapshot[key] ??= []).push(value);
      return [f, key, value];
    });
    await env.AUDIT.fetch("https://audit.internal/", { method: "POST", body: JSON.stringify(answer) });
    // ... and a transaction takes place only if all that it has read or written is still the same.
    const isStale = ([, key]: Micro) => (lists[key]?.length ?? 0) !== lengths[key];
    if (micros.some(isStale)) return new Response("conflict", { status: 409 });
    for (const [f, key, value] of micros) if (f === "append") (lists[key] ??= []).push(value);
    return Response.json(answer);
  },
};
