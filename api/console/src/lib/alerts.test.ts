import { describe, expect, it } from 'vitest'
import type { Alert, AlertState, Severity } from '../api/types'
import { compareAlerts, mergeAlert, neighbour, stepsFrom } from './alerts'

const alert = (
  id: string,
  state: AlertState = 'candidate',
  revision = 1,
  severity: Severity = 'moderate',
  s = 0,
): Alert => ({
  id,
  state,
  revision,
  severity,
  source: { kind: 'alarm', event: id, alarm: 'fire', drill: false },
  title: id,
  occurred_at: new Date(s * 1000).toISOString(),
  raised_at: new Date(s * 1000).toISOString(),
  camera: null,
  region: null,
  position: null,
  repeats: 0,
  history: [],
})

describe('the list of alerts', () => {
  it('takes new ones, changes known ones and lets closed ones go', () => {
    const first = mergeAlert([], alert('a'), true)
    expect(first.change).toBe('new')
    const second = mergeAlert(first.list, alert('a', 'confirmed', 2), true)
    expect([second.change, second.list.length, second.list[0]?.state]).toEqual(['changed', 1, 'confirmed'])
    expect(mergeAlert(second.list, alert('a', 'resolved', 3), true).list).toEqual([])
    expect(mergeAlert(second.list, alert('a', 'resolved', 3), false).list.length).toBe(1)
  })

  it('is the same whatever order the changes come in', () => {
    const states: AlertState[] = ['candidate', 'confirmed', 'dispatched']
    const changes = ['a', 'b', 'c'].flatMap(id => states.map((state, i) => alert(id, state, i + 1)))
    const inOrder = changes.reduce((l, a) => mergeAlert(l, a, true).list, [] as Alert[])
    for (let round = 0; round < 50; round++) {
      const shuffled = [...changes].sort(
        (x, y) =>
          ((x.revision * 7 + round * 13 + x.id.charCodeAt(0)) % 5) - ((y.revision * 3 + round * 11) % 5),
      )
      expect(shuffled.reduce((l, a) => mergeAlert(l, a, true).list, [] as Alert[])).toEqual(inOrder)
    }
  })

  it('never lets an older revision win', () => {
    const list = [alert('a', 'confirmed', 2)]
    const { list: after, change } = mergeAlert(list, alert('a', 'candidate', 1), true)
    expect(change).toBe('stale')
    expect(after).toEqual(list)
  })

  it('puts first what needs a person first', () => {
    const list = [
      alert('old', 'candidate', 1, 'moderate', 1),
      alert('done', 'dispatched', 1, 'extreme', 9),
      alert('new', 'candidate', 1, 'moderate', 5),
      alert('grave', 'candidate', 1, 'extreme', 0),
    ]
    expect(list.sort(compareAlerts).map(a => a.id)).toEqual(['grave', 'new', 'old', 'done'])
  })

  it('moves on to the neighbour', () => {
    const list = ['a', 'b', 'c'].map(id => alert(id))
    expect(neighbour(list, 'b')).toBe('c')
    expect(neighbour(list, 'c')).toBe('b')
    expect(neighbour(list, 'gone')).toBe('a')
    expect(neighbour([], 'a')).toBeNull()
  })

  it('offers the steps that the life cycle allows', () => {
    expect(stepsFrom('candidate')).toEqual(['confirm', 'dismiss'])
    expect(stepsFrom('dispatched')).toEqual(['resolve'])
    expect(stepsFrom('resolved')).toEqual([])
  })
})
