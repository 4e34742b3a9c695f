// What customers see of the shop.

import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { secureHeaders } from "hono/secure-headers";
import { validator } from "hono/validator";

import { PRODUCTS } from "./order.ts";
import { patiently } from "./patiently.ts";

interface Env {
  Bindings: { ORDERS: { fetch(url: string, init?: RequestInit): Promise<Response> } };
}

const ORDERS = "https://orders.internal/orders";
const PATIENCE = { tries: 3, timeoutMs: 800 };

const app = new Hono<Env>();

app.use(secureHeaders());

app.get("/", (c) => c.text("GET /products, POST /orders, GET /orders/:id\n"));

app.get("/products", (c) => c.json(PRODUCTS));

app.get("/products/:name", (c) => {
  const product = PRODUCTS[c.req.param("name")];
  if (product === undefined) throw new HTTPException(404, { message: "there is no such product" });
  return c.json(product);
});

const wanted = validator("json", ({ product, quantity, card }) => {
  if (!Object.hasOwn(PRODUCTS, product)) throw new HTTPException(400, { message: "there is no such product" });
  if (!Number.isInteger(quantity) || quantity < 1 || quantity > 9) {
    throw new HTTPException(400, { message: "the quantity is 1 to 9" });
  }
  if (typeof card !== "string") throw new HTTPException(400, { message: "an order needs a card" });
  return { product, quantity, card };
});

// A PUT with an id of the customer's own making: it may be repeated.
app.put("/orders/:id{[a-z0-9-]{1,40}}", wanted, async (c) => {
  const id = c.req.param("id");
  const { product, quantity, card } = c.req.valid("json");
  const order = { id, product, quantity, card, cents: PRODUCTS[product].cents * quantity };
  const answer = await patiently(PATIENCE, (signal) =>
    c.env.ORDERS.fetch(`${ORDERS}/${id}`, { method: "PUT", body: JSON.stringify(order), signal }),
  );
  return c.json(await answer.json(), answer.status as 202 | 409);
});

app.get("/orders/:id", async (c) => {
  const id = encodeURIComponent(c.req.param("id"));
  const answer = await patiently(PATIENCE, (signal) => c.env.ORDERS.fetch(`${ORDERS}/${id}`, { signal }));
  if (answer.status === 404) throw new HTTPException(404, { message: "there is no such order" });
  return c.json(await answer.json());
});

app.notFound((c) => c.json({ error: "there is nothing here" }, 404));

app.onError((error, c) => {
  if (error instanceof HTTPException) return c.json({ error: error.message }, error.status);
  console.warn(`${c.req.method} ${c.req.path}:`, String(error));
  return c.json({ error: "please try again" }, 503);
});

export default app;
