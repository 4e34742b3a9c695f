// Private.

export default {
  fetch: () => new Response("for those who may"),
};
