// Namespaces and ids.
export const outside = {
  async "an id of a name"({ env, log }) {
    const [one, two] = [env.PROBES.idFromName("a"), env.PROBES.idFromName("a")];
    log(one.equals(two), one === two, `${one}` === two.toString(), one.name, /^[0-9a-f]{64}$/.test(`${one}`));
    log(one.equals(env.PROBES.idFromName("b")), env.PROBES.idFromName("").name);
  },
  async "an id of its text"({ env, log, tries }) {
    const id = env.PROBES.idFromName("a");
    const back = env.PROBES.idFromString(id.toString());
    log(back.equals(id), back.name);
    await tries("no id", () => env.PROBES.idFromString("hello"));
    await tries("64 digits of nobody", () => env.PROBES.idFromString("0".repeat(64)));
    await tries("of another namespace", () => env.PROBES.idFromString(env.SUBJECTS.idFromName("a").toString()));
  },
  async "unique ids"({ env, log }) {
    const ids = new Set(Array.from({ length: 20 }, () => env.PROBES.newUniqueId().toString()));
    log(ids.size, env.PROBES.newUniqueId().name);
  },
  async "mistakes with ids"({ env, tries }) {
    await tries("get()", () => env.PROBES.get());
    await tries("get of a text", () => env.PROBES.get("a"));
    await tries("get with an id of another namespace", () => { env.PROBES.get(env.SUBJECTS.idFromName("a")); return "may"; });
    await tries("idFromName()", () => env.PROBES.idFromName());
    await tries("idFromName(1)", () => env.PROBES.idFromName(1).name);
    await tries("equals()", () => env.PROBES.idFromName("a").equals("a"));
  },
  async "a stub says whom it is for"({ env, log }) {
    const id = env.SUBJECTS.idFromName("a");
    const stub = env.SUBJECTS.get(id);
    log(stub.id.equals(id), stub.name, env.SUBJECTS.getByName("a").id.equals(id));
  },
  async "an object knows its id and the name that it was called by"({ env, log }) {
    const id = env.SUBJECTS.idFromName("known");
    const seen = await env.SUBJECTS.get(id).whoAmI();
    log(seen.id === id.toString(), seen.name);
  },
  async "an object that was not found by a name has none"({ env, log }) {
    log((await env.SUBJECTS.get(env.SUBJECTS.newUniqueId()).whoAmI()).name);
    const text = env.SUBJECTS.idFromName("only by its text").toString();
    log((await env.SUBJECTS.get(env.SUBJECTS.idFromString(text)).whoAmI()).name);
    log((await env.SUBJECTS.getByName("é ü % /?#").whoAmI()).name, (await env.SUBJECTS.getByName("").whoAmI()).name);
    log((await env.SUBJECTS.getByName("x".repeat(1024)).whoAmI()).name?.length, (await env.SUBJECTS.getByName("x".repeat(1025)).whoAmI()).name);
  },
};
