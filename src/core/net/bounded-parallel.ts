/**
 * Runs `work` for every item, at most `limit` at a time, and waits for all that began.
 *
 * After the first failure nothing new is begun; that failure is thrown once what runs has ended, so that no request
 * goes on behind the caller's back.
 */
export async function eachAtMost<T>(
  limit: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    // One iterator, shared: each worker takes the next item that nobody has.
    for (const item of queue) {
      if (failures.length > 0) return;
      await work(item).catch((cause: unknown) => failures.push(cause));
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
}
