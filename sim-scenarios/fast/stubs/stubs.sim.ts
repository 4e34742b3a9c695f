// Asks for the weather, and looks behind the stub.

import { always, driver, equal, random, sometimes } from "dacapo:sim";

let told = 0;

async function ask() {
  const place = random.pick(["rome", "oslo", "lima"]);
  const answer = await fetch(`https://weather.example/${place}`, { signal: AbortSignal.timeout(3000) });
  const text = await answer.text();
  sometimes(answer.status === 502, "the world outside cannot be reached");
  if (answer.status !== 200) {
    // Granted by the `*` of the configuration, and still nothing stands there.
    if (place === "lima") sometimes(text.includes("nothing stands in for lima.stations.example"), "a missing stub is named");
    return;
  }
  always(place !== "lima", "what no stub stands in for does not answer");
  equal(JSON.parse(text), { sky: "clear", degrees: `${place}.stations.example`.length }, "the stub's answer arrives");
  told++;
}

export const drivers = { ask: driver(ask, { clients: 2, pause: 300 }) };

export const judgments = {
  async "each answer was asked for"() {
    const asked = await (await fetch("https://api.sky.example/asked")).json();
    always(asked >= told, "each answer was asked for", { asked, told });
  },
};
