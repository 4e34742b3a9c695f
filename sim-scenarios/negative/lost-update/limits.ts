// Knows how far one may count.

export default {
  fetch: () => new Response("1000000"),
};
