// Reads long bodies through two services.

import { always, driver, random, sometimes } from "dacapo:sim";

async function read() {
  const bytes = random.int(0, 300_000);
  let length = 0;
  let isInOrder = true;
  let isWhole = false;
  try {
    const answer = await fetch(`https://tape.example/?bytes=${bytes}`, { signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) return;
    for await (const chunk of answer.body!) {
      for (const byte of chunk) isInOrder &&= byte === length++ % 256;
    }
    isWhole = true;
  } finally {
    always(isInOrder && length <= bytes, "what arrives is a beginning of what was sent", { bytes, length });
    if (isWhole) always(length === bytes, "a body that ends is whole", { bytes, length });
    sometimes(!isWhole && length > 0, "a body breaks off in its middle");
    sometimes(isWhole && length > 65_536, "a long body arrives");
  }
}

export const drivers = { read: driver(read, { clients: 2, pause: 1000 }) };
