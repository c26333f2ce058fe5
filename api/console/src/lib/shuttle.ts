// J K L: back, stop, forward; pressing again goes faster. Speeds below zero run backwards.

export const FORWARD = [1, 2, 4, 8, 16]
export const BACKWARD = [-1, -2, -4, -8]

/** The speed after a press, given the present one (0: stopped). */
export function shuttle(key: 'j' | 'k' | 'l', speed: number): number {
  if (key === 'k') return 0
  const steps = key === 'l' ? FORWARD : BACKWARD
  const at = steps.indexOf(speed)
  return (at < 0 ? steps[0] : steps[Math.min(at + 1, steps.length - 1)]) ?? 0
}

/** Where stepping by key frames goes next: over gaps it jumps to the footage on the other side. */
export function stepOver(
  spans: readonly { from: number; to: number }[],
  at: number,
  by: number,
): number | null {
  const next = at + by
  if (spans.some(s => s.from <= next && next < s.to)) return next
  if (by > 0) {
    const after = spans.filter(s => s.from > next).map(s => s.from)
    return after.length > 0 ? Math.min(...after) : null
  }
  const before = spans.filter(s => s.to <= next).map(s => s.to)
  return before.length > 0 ? Math.max(...before) - 1 : null
}
