// Stands in for two hosts; it sees which of them was meant.

export default {
  fetch: (request: Request) => Response.json(new URL(request.url).hostname.length),
};
