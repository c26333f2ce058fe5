import { expect, it } from 'vitest'
import { shortId } from './ids'

it('tells two accounts of the same hour apart, and leaves case numbers whole', () => {
  expect(shortId('01a20260-050b-77f7-8f0e-2ae54dfea8bc')).toBe('…fea8bc')
  expect(shortId('DEMO-1')).toBe('DEMO-1')
})
