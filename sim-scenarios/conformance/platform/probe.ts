// Tries the platform and says what it found, line by line.

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const hex = (buffer: ArrayBuffer) => [...new Uint8Array(buffer)].map((b) => b.toString(16).padStart(2, "0")).join("");

function nameOf(act: () => unknown): string {
  try {
    return String(act());
  } catch (error) {
    return error.name;
  }
}

const probes: Record<string, () => unknown> = {
  async order() {
    const seen: string[] = [];
    setTimeout(() => seen.push("timer 20"), 20);
    setTimeout(() => seen.push("timer 0"), 0);
    setTimeout(() => seen.push("timer 0 again"), 0);
    const never = setTimeout(() => seen.push("cleared"), 1);
    clearTimeout(never);
    Promise.resolve().then(() => seen.push("promise")).then(() => seen.push("promise after promise"));
    queueMicrotask(() => seen.push("microtask"));
    (async () => {
      seen.push("async begins");
      await null;
      seen.push("async goes on");
    })();
    seen.push("end of script");
    await wait(40);
    return seen;
  },
  async interval() {
    let count = 0;
    await new Promise<void>((resolve) => {
      const id = setInterval(() => {
        if (++count === 3) {
          clearInterval(id);
          resolve();
        }
      }, 5);
    });
    return count;
  },
  async abort() {
    const timeout = AbortSignal.timeout(5);
    await wait(20);
    const controller = new AbortController();
    controller.abort("why not");
    return [timeout.aborted, timeout.reason.name, controller.signal.reason, AbortSignal.any([timeout]).aborted];
  },
  "time stands still in a turn"() {
    const [date, performed] = [Date.now(), performance.now()];
    for (let i = 0; i < 100_000; i++) Math.sqrt(i);
    return [Date.now() === date, performance.now() === performed];
  },
  text: () => [
    new TextDecoder().decode(new TextEncoder().encode("日本語 🎼")),
    new TextDecoder("latin1").decode(new Uint8Array([0xe9])),
    nameOf(() => new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([0xff]))),
    new TextDecoder().decode(new Uint8Array([0xff])),
    btoa("da capo"),
    atob("ZGEgY2Fwbw=="),
    nameOf(() => btoa("Ω")),
  ],
  url() {
    const url = new URL("../x/%7Ey?b=2&a=1#f", "https://user:pw@Bücher.example:443/p/q/");
    url.searchParams.sort();
    return [url.href, url.host, url.pathname, url.search, nameOf(() => new URL("nonsense")), URL.canParse("a:b")];
  },
  async crypto() {
    const bytes = new TextEncoder().encode("abc");
    const all = await Promise.all(["SHA-1", "SHA-256", "SHA-384", "SHA-512"].map((name) => crypto.subtle.digest(name, bytes)));
    const [a, b] = [crypto.randomUUID(), crypto.randomUUID()];
    return [...all.map((hash) => hex(hash).slice(0, 16)), a !== b, /^[0-9a-f-]{36}$/.test(a), crypto.getRandomValues(new Uint8Array(4)).length];
  },
  clone() {
    const value: any = { map: new Map([[1, { a: new Date(0) }]]), set: new Set([1n]), bytes: new Uint8Array([1, 2]) };
    value.self = value;
    const copy = structuredClone(value);
    return [copy.self === copy, copy.map.get(1).a.toISOString(), copy.set.has(1n), [...copy.bytes], nameOf(() => structuredClone(() => {}))];
  },
  events() {
    const target = new EventTarget();
    const seen: string[] = [];
    target.addEventListener("e", () => seen.push("first"), { once: true });
    target.addEventListener("e", { handleEvent: (event) => void seen.push(event.type) });
    target.dispatchEvent(new Event("e"));
    target.dispatchEvent(new Event("e"));
    return seen;
  },
  "locale and time zone": () => [
    new Date(0).toString(),
    new Date(Date.UTC(2030, 5, 1)).getTimezoneOffset(),
    Intl.DateTimeFormat().resolvedOptions().timeZone,
    Intl.DateTimeFormat().resolvedOptions().locale,
    (1234567.891).toLocaleString(),
    ["ä", "z", "a"].sort(new Intl.Collator("de").compare),
    new Intl.DateTimeFormat("de", { dateStyle: "full", timeZone: "UTC" }).format(0),
  ],
  "what a service does not have": () =>
    ["process", "require", "Deno", "window", "SharedArrayBuffer", "eval"].map((name) => [name, typeof (globalThis as any)[name]]),
  errors: () => [
    nameOf(() => (null as any).x),
    nameOf(() => new Array(-1)),
    nameOf(() => decodeURIComponent("%")),
    new Error("outer", { cause: new TypeError("inner") }).cause.message,
  ],
};

export default {
  async fetch(): Promise<Response> {
    const lines: string[] = [];
    for (const [name, probe] of Object.entries(probes)) {
      const found = await Promise.resolve()
        .then(probe)
        .catch((error) => `${error}`);
      lines.push(`${name}: ${JSON.stringify(found)}`);
    }
    return new Response(lines.join("\n"));
  },
};
