// Rings after its answer.

let asked = 0;
let rung = 0;

export default {
  fetch(_: Request, __: unknown, ctx: ExecutionContext): Response {
    asked++;
    ctx.waitUntil(new Promise((resolve) => setTimeout(resolve, 300)).then(() => rung++));
    return Response.json({ asked, rung });
  },
};
