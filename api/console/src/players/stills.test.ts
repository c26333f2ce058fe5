import { describe, expect, it, vi } from 'vitest'
import { LatestWins, StillCache, snap } from './stills'

describe('stills', () => {
  it('fetches one at a time and skips what was overtaken', async () => {
    const shown: number[] = []
    const begun: number[] = []
    const waits: (() => void)[] = []
    const loader = new LatestWins<number>(n => shown.push(n))
    const job = (n: number) => () =>
      new Promise<number>(resolve => {
        begun.push(n)
        waits.push(() => resolve(n))
      })
    for (const n of [1, 2, 3, 4]) loader.ask(job(n))
    expect(begun).toEqual([1])
    waits[0]?.()
    await vi.waitFor(() => expect(begun).toEqual([1, 4]))
    waits[1]?.()
    await vi.waitFor(() => expect(shown).toEqual([1, 4]))
  })

  it('goes on after a failure', async () => {
    const shown: string[] = []
    const loader = new LatestWins<string>(
      v => shown.push(v),
      e => shown.push(String(e)),
    )
    loader.ask(() => Promise.reject('lost'))
    loader.ask(() => Promise.resolve('found'))
    await vi.waitFor(() => expect(shown).toEqual(['lost', 'found']))
  })

  it('forgets the picture that was not looked at for longest', () => {
    const revoke = vi.spyOn(URL, 'revokeObjectURL').mockReturnValue(undefined)
    const cache = new StillCache(2)
    for (const key of ['a', 'b']) cache.put(key, { url: key, frameAt: 0 })
    cache.get('a')
    cache.put('c', { url: 'c', frameAt: 0 })
    expect([cache.get('a')?.url, cache.get('b'), cache.get('c')?.url]).toEqual(['a', undefined, 'c'])
    expect(revoke).toHaveBeenCalledWith('b')
  })

  it('snaps to the key frame that covers an instant', () => {
    const frames = [10, 12, 14]
    expect([9, 10, 11.9, 13, 99].map(t => snap(frames, t))).toEqual([10, 10, 10, 12, 14])
    expect(snap([], 5)).toBeNull()
  })
})
