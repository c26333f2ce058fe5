// Comparing a plate as it was read with the one on the list, character by character.

const LOOK_ALIKE: Record<string, string> = {
  O: '0',
  D: '0',
  Q: '0',
  I: '1',
  L: '1',
  Z: '2',
  S: '5',
  G: '6',
  B: '8',
}

const fold = (c: string) => LOOK_ALIKE[c] ?? c

export interface PlateChar {
  read: string
  listed: string
  /** `same`, `alike` (characters that readers confuse) or `other`. */
  verdict: 'same' | 'alike' | 'other'
}

const chars = (plate: string) => [...plate.toUpperCase()].filter(c => !/[\s\-.·•_]/.test(c))

export function comparePlates(read: string, listed: string): PlateChar[] {
  const [a, b] = [chars(read), chars(listed)]
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => {
    const [x, y] = [a[i] ?? '', b[i] ?? '']
    const verdict = x === y ? 'same' : fold(x) === fold(y) ? 'alike' : 'other'
    return { read: x, listed: y, verdict }
  })
}
