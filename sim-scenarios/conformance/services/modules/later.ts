// Imported at run time; waits itself.

export const value = await Promise.resolve("loaded later");
