// Stands in for api.sky.example.

let asked = 0;

export default {
  fetch(request: Request): Response {
    if (request.url.endsWith("/asked")) return Response.json(asked);
    asked++;
    return new Response("clear");
  },
};
