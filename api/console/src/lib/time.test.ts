import { describe, expect, it } from 'vitest'
import * as t from './time'

const at = (text: string) => Date.parse(text)

describe('times in a zone', () => {
  it('show the offset that held at that moment', () => {
    const ms = at('2026-11-22T06:03:22.900Z')
    expect(t.fullText(ms, 'Asia/Shanghai')).toBe('2026-11-22 14:03:22 +08:00')
    expect(t.fullText(ms, 'America/St_Johns')).toBe('2026-11-22 02:33:22 -03:30')
    expect(t.fullText(ms, 'UTC')).toBe('2026-11-22 06:03:22 +00:00')
    expect(t.offsetText(at('2026-07-01T00:00:00Z'), 'Europe/Berlin')).toBe('+02:00')
    expect(t.offsetText(at('2026-12-01T00:00:00Z'), 'Europe/Berlin')).toBe('+01:00')
  })

  it('read back what they wrote, in every zone and over a change of offset', () => {
    for (const zone of ['UTC', 'Asia/Shanghai', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'])
      for (let ms = at('2026-03-01T00:00:00Z'); ms < at('2026-12-01T00:00:00Z'); ms += 7.3 * t.HOUR) {
        const back = t.fieldInstant(t.fieldText(ms, zone), zone)
        const whole = Math.floor(ms / 1000) * 1000
        // A clock that is set back shows one hour twice: the first of both is what is read.
        expect(
          back === whole || t.stampText(back ?? 0, zone) === t.stampText(whole, zone),
          `${zone} ${ms}`,
        ).toBe(true)
      }
  })

  it('name the day only when it is another one', () => {
    const now = at('2026-11-22T06:03:22Z')
    expect(t.nearText(now - t.HOUR, now, 'UTC')).toBe('05:03:22')
    expect(t.nearText(now - t.DAY, now, 'UTC')).toBe('2026-11-21 06:03:22')
  })

  it('write lengths as digits', () => {
    expect([0, 41_000, 725_000, 11_229_000, 183_600_000].map(t.lengthText)).toEqual([
      '0:00',
      '0:41',
      '12:05',
      '3:07:09',
      '2 d 03:00',
    ])
  })

  it('refuse what is no time', () => {
    expect(t.fieldInstant('', 'UTC')).toBeNull()
    expect(t.fieldInstant('yesterday', 'UTC')).toBeNull()
  })
})
