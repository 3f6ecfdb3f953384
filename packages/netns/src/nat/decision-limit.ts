/** What a guest may have logged of what it does: it may send any number of packets, and ask for any number of names. */
export const DECISIONS_PER_SECOND = 50;
export const DECISIONS_AT_ONCE = 100;

/**
 * Passes decisions on as often as the router's rules log packets; the others are dropped.
 *
 * @param now seconds
 */
export function thinned<T>(
  onDecision: (decision: T) => void,
  now: () => number = () => performance.now() / 1000,
): (decision: T) => void {
  let [left, last] = [DECISIONS_AT_ONCE, now()];
  return (decision) => {
    const time = now();
    left = Math.min(DECISIONS_AT_ONCE, left + (time - last) * DECISIONS_PER_SECOND);
    last = time;
    if (left < 1) return;
    left -= 1;
    onDecision(decision);
  };
}
