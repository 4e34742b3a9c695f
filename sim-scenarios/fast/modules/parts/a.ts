// Imported at run time.

export default "a";
