import { describe, expect, it } from 'vitest'
import type { Camera } from '../../api/types'
import { bodyOf, firstFields } from './fields'
import { countConditions, filterCameras } from './filter'

const NOW = Date.parse('2026-11-22T06:00:00Z')
const camera = (more: Partial<Camera> = {}): Camera => ({
  id: 'gate-3',
  name: '花园小区 3 号门',
  region: 'garden',
  kind: 'compound',
  position: { lat: 31, lon: 121, bearing_deg: 90, fov_deg: 70, range_m: 40 },
  tags: ['gate', 'night'],
  policy: 'full',
  enabled: true,
  has_sub: true,
  revision: 3,
  main_url: 'rtsp://10.0.0.1/main',
  sub_url: null,
  state: {
    recording: true,
    since: null,
    reason: null,
    detail: null,
    last_gop_at: new Date(NOW - 1000).toISOString(),
  },
  ...more,
})

describe('the camera form', () => {
  it('sends back unchanged what was not touched, and no credentials', () => {
    const body = bodyOf(firstFields(camera()), camera())
    expect(body).toMatchObject({
      revision: 3,
      position: camera().position,
      tags: ['gate', 'night'],
      sub_url: null,
    })
    expect(body).not.toHaveProperty('credentials')
    expect(body).not.toHaveProperty('id')
  })

  it('sends an id for a new one, and half a position as none', () => {
    const fields = { ...firstFields(null), id: ' new-1 ', lat: '31.2', user: 'admin', password: 'x' }
    expect(bodyOf(fields, null)).toMatchObject({
      id: 'new-1',
      position: null,
      credentials: { user: 'admin', password: 'x' },
    })
  })
})

describe('the camera table', () => {
  const off = camera({ id: 'off', name: 'Off', tags: [], enabled: false })
  const down = camera({
    id: 'down',
    name: 'Down',
    tags: [],
    state: { ...camera().state, recording: false, reason: 'unreachable' },
  })
  const fresh = camera({
    id: 'new',
    name: 'New',
    tags: [],
    state: { ...camera().state, recording: false, reason: 'starting' },
  })
  const late = camera({
    id: 'late',
    name: 'Late',
    tags: [],
    state: { ...camera().state, last_gop_at: new Date(NOW - 90_000).toISOString() },
  })
  const all = [camera(), off, down, fresh, late]

  it('counts every camera once', () => {
    expect(countConditions(all, NOW)).toEqual({ recording: 1, late: 1, connecting: 1, down: 1, off: 1 })
  })

  it('finds by any words of name, code and tags, and by state', () => {
    expect(filterCameras(all, { text: '3 号 night', condition: null }, NOW).map(c => c.id)).toEqual([
      'gate-3',
    ])
    expect(filterCameras(all, { text: '', condition: 'down' }, NOW).map(c => c.id)).toEqual(['down'])
  })
})
