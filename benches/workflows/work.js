// What a step calls.
export default { fetch: () => new Response("done") };
