// Asks in many ways and prints what it hears. No time and no random number may stand in the text.

const BASE = "https://echo.example";

async function say(label: string, ask: () => Promise<unknown>) {
  try {
    console.log(`${label}: ${JSON.stringify(await ask())}`);
  } catch (error) {
    console.log(`${label}: ${error.name} ${error.code ?? ""}`);
  }
}

const echo = async (path: string, init?: RequestInit) => (await fetch(BASE + path, init)).json();

export async function setup() {
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    const body = method === "GET" || method === "OPTIONS" ? undefined : "x";
    await say(method, async () => {
      const { method: heard, body: text } = await echo("/", { method, body });
      return [heard, text];
    });
  }
  await say("HEAD", async () => {
    const answer = await fetch(`${BASE}/echo`, { method: "HEAD" });
    return [answer.status, answer.headers.get("content-type"), await answer.text()];
  });
  await say("url", () => echo("/a%20b/../c;d/%2F?x=1&y=%C3%A9&x=2#not-sent"));
  await say("form", () => echo("/", { method: "POST", body: new URLSearchParams({ a: "1", b: "ü &" }) }));
  await say("json", () => echo("/", { method: "POST", body: JSON.stringify({ a: [1, null] }), headers: { "content-type": "application/json" } }));

  for (const code of [200, 201, 204, 299, 304, 400, 404, 418, 500, 503, 599]) {
    await say(`status ${code}`, async () => {
      const answer = await fetch(`${BASE}/status?code=${code}`);
      return [answer.status, answer.ok, await answer.text()];
    });
  }
  await say("headers", async () => {
    const { headers } = await fetch(`${BASE}/headers`, { headers: { "X-Said": "hello, caf\u00e9" } });
    return [headers.get("x-one"), headers.get("X-MANY"), headers.getSetCookie(), headers.get("x-heard"), headers.get("content-type")];
  });
  for (const code of [301, 302, 303, 307, 308]) {
    await say(`redirect ${code}`, async () => {
      const answer = await fetch(`${BASE}/redirect?code=${code}`, { method: "POST", body: "kept?" });
      const { method, body } = await answer.json();
      return [answer.redirected, answer.url, method, body];
    });
  }
  await say("redirect by hand", async () => {
    const answer = await fetch(`${BASE}/redirect?code=302`, { redirect: "manual" });
    return [answer.status, answer.headers.get("location")];
  });
  await say("redirect forbidden", () => fetch(`${BASE}/redirect?code=302`, { redirect: "error" }));
  for (const path of ["/throw", "/reject", "/nothing"]) {
    await say(path, async () => {
      const answer = await fetch(BASE + path);
      return [answer.status, await answer.text()];
    });
  }
  await say("after an error", async () => (await echo("/still-here")).path);
}
