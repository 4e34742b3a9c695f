// Tries until it works, with a limit for each try and longer and longer pauses between them.

const PAUSE_MAX_MS = 5_000;

export interface Patience {
  tries: number;
  /** How long one try may take. */
  timeoutMs: number;
}

export async function patiently<T>(
  { tries, timeoutMs }: Patience,
  attempt: (signal: AbortSignal, count: number) => Promise<T>,
): Promise<T> {
  for (let count = 1; ; count++) {
    try {
      return await attempt(AbortSignal.timeout(timeoutMs), count);
    } catch (error) {
      if (count >= tries) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.min(100 * 2 ** count, PAUSE_MAX_MS)));
    }
  }
}
