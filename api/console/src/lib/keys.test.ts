import { describe, expect, it } from 'vitest'
import { en } from '../i18n/en'
import { BINDINGS, belongsToControl, keyLabel, keyName } from './keys'

const press = (key: string, more: Partial<KeyboardEvent> = {}) =>
  keyName({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...more })

describe('keys', () => {
  it('no key means two things on one page', () => {
    for (const scope of ['wall', 'patrol', 'desk', 'playback']) {
      const keys = BINDINGS.filter(b => b.scope === scope || b.scope === 'everywhere').flatMap(b => b.keys)
      expect(new Set(keys).size, scope).toBe(keys.length)
    }
  })

  it('every key has a word in the help', () => {
    for (const b of BINDINGS) expect(en.keys, b.act).toHaveProperty(b.act)
  })

  it('leaves chords to the browser', () => {
    expect(press('f', { ctrlKey: true })).toBeNull()
    expect(press('F', { shiftKey: true })).toBe('f')
    expect(press('ArrowLeft', { shiftKey: true })).toBe('Shift+ArrowLeft')
    expect(press('?', { shiftKey: true })).toBe('?')
  })

  it('leaves typing to the field and pressing to the button', () => {
    expect(belongsToControl({ tagName: 'INPUT', type: 'text' }, 'n')).toBe(true)
    expect(belongsToControl({ tagName: 'TEXTAREA' }, 'Backspace')).toBe(true)
    expect(belongsToControl({ tagName: 'BUTTON' }, 'Enter')).toBe(true)
    expect(belongsToControl({ tagName: 'BUTTON' }, 'n')).toBe(false)
    expect(belongsToControl({ tagName: 'BODY' }, 'Enter')).toBe(false)
  })

  it('reads well', () => {
    expect(['Shift+ArrowLeft', ' ', 'j', 'Backspace'].map(keyLabel)).toEqual([
      'Shift ←',
      'Space',
      'J',
      'Bksp',
    ])
  })
})
