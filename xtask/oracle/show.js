// A value in words, the same in every runtime: of an error its class only, of an object its own fields.
export function show(value, depth = 0) {
  if (typeof value === "string") return depth === 0 ? value : JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "[function]";
  if (typeof value === "symbol") return "[symbol]";
  if (Object.is(value, -0)) return "-0";
  if (typeof value !== "object" || value === null) return `${value}`;
  if (depth > 5) return "…";
  const list = (values) => values.map((item) => show(item, depth + 1)).join(", ");
  if (value instanceof DOMException) return `DOMException ${value.name}`;
  if (value instanceof Error) return value.constructor.name;
  if (value instanceof Date) return `Date ${value.getTime()}`;
  if (value instanceof RegExp) return `${value}`;
  if (value instanceof ArrayBuffer) return `ArrayBuffer [${new Uint8Array(value).join(" ")}]`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} [${[...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)].join(" ")}]`;
  if (value instanceof Map) return `Map {${[...value].map(([k, v]) => `${show(k, depth + 1)} => ${show(v, depth + 1)}`).join(", ")}}`;
  if (value instanceof Set) return `Set {${list([...value])}}`;
  if (Array.isArray(value)) return `[${list(value)}]`;
  return `{${Object.entries(value).map(([k, v]) => `${k}: ${show(v, depth + 1)}`).join(", ")}}`;
}
