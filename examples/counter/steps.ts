// Says by how much a counter counts.

export default {
  fetch: () => new Response("1"),
};
