import { expect, it } from 'vitest'
import { comparePlates } from './plates'

it('marks what differs, and whether readers confuse it', () => {
  const verdicts = (a: string, b: string) => comparePlates(a, b).map(c => c.verdict)
  expect(verdicts('京A·12345', '京A12345').every(v => v === 'same')).toBe(true)
  expect(verdicts('京A1O345', '京A10345')).toEqual(['same', 'same', 'same', 'alike', 'same', 'same', 'same'])
  expect(verdicts('京A1234', '京A12345').at(-1)).toBe('other')
  expect(verdicts('京B8', '京88')).toEqual(['same', 'alike', 'same'])
})
