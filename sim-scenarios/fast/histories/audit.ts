// Hears of every transaction before it takes place.

export default {
  fetch: () => new Response("heard"),
};
