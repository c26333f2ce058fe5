// Keys: one table says what they do, the handler and the help both read it.

export type Scope = 'everywhere' | 'wall' | 'patrol' | 'desk' | 'playback'

export interface Binding {
  scope: Scope
  /** As people read it: `Shift+←`. */
  keys: string[]
  /** Word in the help, `keys.*` of the translations. */
  act: string
}

export const BINDINGS: Binding[] = [
  { scope: 'everywhere', keys: ['?'], act: 'help' },
  { scope: 'everywhere', keys: ['g'], act: 'ground' },
  { scope: 'everywhere', keys: ['/'], act: 'search' },
  { scope: 'everywhere', keys: ['Escape'], act: 'back' },
  { scope: 'wall', keys: ['1-9'], act: 'tile' },
  { scope: 'wall', keys: ['Enter'], act: 'spot' },
  { scope: 'wall', keys: ['f'], act: 'full' },
  { scope: 'patrol', keys: ['n'], act: 'next' },
  { scope: 'patrol', keys: ['s'], act: 'seen' },
  { scope: 'patrol', keys: ['c'], act: 'finding' },
  { scope: 'desk', keys: ['ArrowUp', 'ArrowDown'], act: 'choose' },
  { scope: 'desk', keys: ['Enter'], act: 'confirm' },
  { scope: 'desk', keys: ['Backspace'], act: 'dismiss' },
  { scope: 'playback', keys: [' '], act: 'play' },
  { scope: 'playback', keys: ['j', 'k', 'l'], act: 'shuttle' },
  { scope: 'playback', keys: ['ArrowLeft', 'ArrowRight'], act: 'step' },
  { scope: 'playback', keys: ['Shift+ArrowLeft', 'Shift+ArrowRight'], act: 'keyStep' },
  { scope: 'playback', keys: ['f'], act: 'full' },
]

const SIGNS: Record<string, string> = {
  ' ': 'Space',
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  Escape: 'Esc',
  Backspace: 'Bksp',
  '1-9': '1 – 9',
}

export const keyLabel = (key: string) =>
  key
    .split('+')
    .map(k => SIGNS[k] ?? (k.length === 1 ? k.toUpperCase() : k))
    .join(' ')

interface KeyLike {
  key: string
  shiftKey: boolean
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
}

/** The name of a key press as in the table; `null` for chords that belong to the browser. */
export function keyName(e: KeyLike): string | null {
  if (e.ctrlKey || e.metaKey || e.altKey) return null
  if (e.key.length === 1) return e.key.toLowerCase()
  return e.shiftKey && e.key.startsWith('Arrow') ? `Shift+${e.key}` : e.key
}

/** Whether a press belongs to a field or a control that uses it itself. */
export function belongsToControl(
  target: { tagName?: string; type?: string; isContentEditable?: boolean; role?: string | null },
  name: string,
): boolean {
  const tag = target.tagName?.toLowerCase()
  if (target.isContentEditable || tag === 'textarea' || tag === 'select') return true
  if (tag === 'input')
    return (
      !['checkbox', 'radio', 'button', 'range'].includes(target.type ?? 'text') ||
      name.includes('Arrow') ||
      name === ' '
    )
  if (tag === 'button' || tag === 'label') return name === 'Enter' || name === ' '
  if (tag === 'a') return name === 'Enter'
  return target.role === 'menuitem' || target.role === 'slider'
}
