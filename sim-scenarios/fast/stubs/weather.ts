// Asks outside for the weather, and gives up after a while.

export default {
  async fetch(request: Request): Promise<Response> {
    const place = new URL(request.url).pathname.slice(1);
    const signal = AbortSignal.timeout(1000);
    try {
      const sky = await fetch(`https://api.sky.example/${place}`, { signal });
      const station = await fetch(`https://${place}.stations.example/degrees`, { signal });
      return Response.json({ sky: await sky.text(), degrees: await station.json() });
    } catch (error) {
      return new Response(String(error), { status: 502 });
    }
  },
};
