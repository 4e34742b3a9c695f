// Stands in for each host under stations.example; it sees which of them was meant.

export default {
  fetch: (request: Request) => Response.json(new URL(request.url).hostname.length),
};
