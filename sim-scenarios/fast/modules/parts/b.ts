// Imported at run time; waits.

export default await new Promise<string>((resolve) => queueMicrotask(() => resolve("b, later")));
