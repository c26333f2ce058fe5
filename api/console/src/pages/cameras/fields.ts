// The camera form's fields, and what is sent of them. Pure.

import type { Camera, CameraKind, Policy } from '../../api/types'

export interface Fields {
  id: string
  name: string
  region: string | null
  kind: CameraKind
  lat: string
  lon: string
  bearing: string
  tags: string
  main_url: string
  sub_url: string
  user: string
  password: string
  policy: Policy
  enabled: boolean
}

export function firstFields(camera: Camera | null): Fields {
  const position = camera?.position
  return {
    id: camera?.id ?? '',
    name: camera?.name ?? '',
    region: camera?.region ?? null,
    kind: camera?.kind ?? 'street',
    lat: position ? String(position.lat) : '',
    lon: position ? String(position.lon) : '',
    bearing: position ? String(position.bearing_deg) : '',
    tags: camera?.tags.join(' ') ?? '',
    main_url: camera?.main_url ?? '',
    sub_url: camera?.sub_url ?? '',
    user: '',
    password: '',
    policy: camera?.policy ?? 'full',
    enabled: camera?.enabled ?? true,
  }
}

/** What is sent: credentials only when typed, a position only when whole. */
export function bodyOf(fields: Fields, camera: Camera | null): Record<string, unknown> {
  const [lat, lon] = [Number.parseFloat(fields.lat), Number.parseFloat(fields.lon)]
  const whole = Number.isFinite(lat) && Number.isFinite(lon)
  const bearing_deg = Number.parseFloat(fields.bearing) || 0
  const position = whole ? { ...(camera?.position ?? {}), lat, lon, bearing_deg } : null
  return {
    ...(camera ? { revision: camera.revision } : { id: fields.id.trim() }),
    name: fields.name.trim(),
    region: fields.region,
    kind: fields.kind,
    position,
    tags: fields.tags.split(/[\s,，;]+/).filter(Boolean),
    main_url: fields.main_url.trim(),
    sub_url: fields.sub_url.trim() || null,
    ...(fields.user ? { credentials: { user: fields.user, password: fields.password } } : {}),
    policy: fields.policy,
    enabled: fields.enabled,
  }
}
