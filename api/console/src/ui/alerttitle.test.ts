import { expect, it } from 'vitest'
import { wordsOf } from './alerttitle'

it("keeps the source's own words and drops the kind, which is said in the reader's language", () => {
  expect(wordsOf('drill: door forced: east gate', 'door_forced', true)).toBe('east gate')
  expect(wordsOf('fire', 'fire', false)).toBe('')
  expect(wordsOf('something else', 'fire', false)).toBe('something else')
})
