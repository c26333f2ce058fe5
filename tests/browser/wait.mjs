// Waiting by polling a condition under a deadline.

/** Polls `probe` until it gives something true, and gives it back. */
export async function eventually(what, deadlineMs, probe) {
  const ends = Date.now() + deadlineMs;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > ends) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await new Promise((next) => setTimeout(next, 100));
  }
}
