// Which cameras of the table are shown. Pure.

import type { Camera } from '../../api/types'
import { conditionOf, type CameraCondition } from '../../ui/mark'

export interface Filter {
  text: string
  condition: CameraCondition | null
}

export function filterCameras(cameras: readonly Camera[], filter: Filter, now: number): Camera[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean)
  return cameras.filter(camera => {
    if (filter.condition && conditionOf(camera, now) !== filter.condition) return false
    const hay = `${camera.name} ${camera.id} ${camera.tags.join(' ')}`.toLowerCase()
    return words.every(word => hay.includes(word))
  })
}

export function countConditions(cameras: readonly Camera[], now: number): Record<CameraCondition, number> {
  const counts = { recording: 0, late: 0, connecting: 0, down: 0, off: 0 }
  for (const camera of cameras) counts[conditionOf(camera, now)]++
  return counts
}
