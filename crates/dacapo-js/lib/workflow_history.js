// Histories of workflows as JSON: what `dacapo workflows export` writes, and `dacapo workflows check` reads.
((ops, lib) => {
  "use strict";

  const { Date, TypeError, Uint8Array, atob, btoa } = globalThis;
  const FORMAT = "dacapo workflow history 1";
  const { parse, stringify } = JSON;
  // What of an entry, or of an instance, is a value of the guest's.
  const VALUES = ["params", "output", "value", "payload", "args"];
  const TIMES = ["created", "at", "until", "next", "sent"];

  // A value as JSON where that says all of it, else as the bytes of its structured clone.
  function write(bytes) {
    const value = ops.deserialize(bytes);
    if (value === undefined) return {};
    try {
      const json = stringify(value);
      if (json !== undefined && lib.difference(parse(json), value) === null) return { json: value };
    } catch {
      // A cycle, or a number that JSON does not have.
    }
    let text = "";
    for (let at = 0; at < bytes.length; at++) text += String.fromCharCode(bytes[at]);
    return { v8: btoa(text), text: lib.inspect(value, { depth: 4 }) };
  }
  function read(written) {
    if (written?.json !== undefined) return lib.packValue(written.json);
    if (written?.v8 === undefined) return lib.packValue(undefined);
    const text = atob(written.v8);
    const bytes = new Uint8Array(text.length);
    for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
    return bytes;
  }

  const convert = (object, value, time) => {
    const converted = {};
    for (const [key, field] of Object.entries(object)) {
      if (field === undefined || field === null) continue;
      if (VALUES.includes(key)) converted[key] = value(field);
      else converted[key] = TIMES.includes(key) ? time(field) : field;
    }
    return converted;
  };
  const written = (object) => convert(object, write, (millis) => new Date(millis).toISOString());
  const readAgain = (object) => convert(object, read, (text) => Date.parse(text));

  lib.writeHistory = (workflow, { class: _, begun, lastTry, ...meta }, journal, events, retries) => ({
    format: FORMAT,
    workflow,
    ...written(meta),
    journal: journal.map(([, entry]) => written(entry)),
    events: events.map(([, event]) => written(event)),
    retries: retries.map(([key, retry]) => ({ step: Number(key.split("/")[1]), ...written(retry) })),
  });

  lib.readHistory = ({ format, workflow, journal, events: _, retries: __, ...meta }) => {
    if (format !== FORMAT) throw new TypeError(`this is no history that this version reads: its format must be "${FORMAT}"`);
    const { mismatch, error, ...rest } = readAgain(meta);
    // Whom a mismatch has stopped would go on, so it is compared as if it ran.
    if (mismatch) rest.state = "running";
    else if (error !== undefined) rest.error = error;
    return { meta: { ...rest, class: workflow, begun: true }, journal: journal.map(readAgain) };
  };
})
