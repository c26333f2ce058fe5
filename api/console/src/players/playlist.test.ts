import { describe, expect, it } from 'vitest'
import { addSegments, parsePlaylist, segmentAt } from './playlist'

const TEXT = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:2
#EXT-X-MAP:URI="init.mp4?grant=g"
#EXT-X-PROGRAM-DATE-TIME:2026-11-22T06:00:00.000Z
#EXTINF:2.000,
seg/1.m4s?grant=g
#EXTINF:2.000,
seg/2.m4s?grant=g
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="init2.mp4?grant=g"
#EXT-X-PROGRAM-DATE-TIME:2026-11-22T06:00:45.000Z
#EXTINF:2.000,
seg/3.m4s?grant=g
#EXT-X-ENDLIST
`
const T = Date.parse('2026-11-22T06:00:00Z')
const plan = parsePlaylist(TEXT, 'http://host/api/v1/footage/c/playlist.m3u8')

describe('a playlist', () => {
  it('gives every segment its wall-clock time, its address and its initialisation', () => {
    expect(plan.map(s => [s.from - T, s.to - T, s.discontinuity])).toEqual([
      [0, 2000, false],
      [2000, 4000, false],
      [45_000, 47_000, true],
    ])
    expect(plan[0]?.uri).toBe('http://host/api/v1/footage/c/seg/1.m4s?grant=g')
    expect(plan[2]?.init).toBe('http://host/api/v1/footage/c/init2.mp4?grant=g')
  })

  it('finds the segment of an instant, over a gap the next one', () => {
    expect(segmentAt(plan, T + 2500)?.uri).toContain('seg/2')
    expect(segmentAt(plan, T + 20_000)?.uri).toContain('seg/3')
    expect(segmentAt(plan, T + 47_000)).toBeNull()
  })

  it('grows by later answers without doubling', () => {
    expect(addSegments(plan, plan)).toEqual(plan)
    expect(
      addSegments(
        [],
        [plan[2], plan[0]].flatMap(s => s ?? []),
      ).map(s => s.from),
    ).toEqual([T, T + 45_000])
  })
})
