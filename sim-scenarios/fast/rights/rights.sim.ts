// Tries what is granted and what is not.

import { always, driver, equal } from "dacapo:sim";

async function front(target: string) {
  const answer = await fetch(`https://front.example/?target=${encodeURIComponent(target)}`);
  return answer.json();
}

async function granted() {
  for (const target of ["LEDGER", "https://ledger.internal/x"]) {
    equal(await front(target), { status: 200, text: "for those who may" }, "a granted call works");
  }
}

async function denied() {
  const service = await front("https://vault.internal/");
  always(service.code === "denied", "a service that is not granted is refused", service);
  always(
    service.message.includes('add  calls = { VAULT = "vault" }  to service "front"'),
    "the refusal names the line that is missing",
    service,
  );
  equal(service.bindings, ["LEDGER"], "a service has the bindings that it was given");

  const host = await front("https://api.elsewhere.example/");
  always(host.code === "denied", "a host that is not granted is refused", host);
  always(
    host.message.includes('add  hosts = ["api.elsewhere.example"]  to service "front"'),
    "the refusal names the line for a host, too",
    host,
  );

  // Its own route is outside, too: who is inside says so by `calls`.
  const self = await front("https://front.example/?target=LEDGER");
  always(self.code === "denied", "a route is not a right", self);
}

async function outside() {
  for (const url of ["https://ledger.example/", "https://vault.example/", "https://ledger/"]) {
    const error = await fetch(url).catch((error) => error);
    always(error.code === "unknown", "a private service has no address outside", error);
  }
}

export const drivers = {
  granted: driver(granted, { pause: 500 }),
  denied: driver(denied, { pause: 500 }),
  outside: driver(outside, { pause: 500 }),
};
