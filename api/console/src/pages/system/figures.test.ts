import { expect, it } from 'vitest'
import { bytesText, figureText, figures } from './figures'

it('reads bytes, lengths and counts as people do', () => {
  expect([0, 999, 1500, 18_213_884_123, 712e9].map(bytesText)).toEqual([
    '0 B',
    '999 B',
    '1.5 kB',
    '18.2 GB',
    '712 GB',
  ])
  expect(figureText('bytes_synced', 2_000_000)).toBe('2.0 MB')
  expect(figureText('uptime_s', 4127)).toBe('1:08:47')
  expect(figureText('gops_synced', 1_234_567)).toBe('1\u2009234\u2009567')
})

it('leaves out what is nothing or not flat, keeps what it does not know', () => {
  expect(figures({ a: null, b: { c: 1 }, new_thing: 3 })).toEqual([{ key: 'new_thing', text: '3' }])
  expect(figures(undefined)).toEqual([])
})
