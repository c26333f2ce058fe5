import { useCallback } from 'react'
import { useRegions } from '../api/queries'
import type { Camera } from '../api/types'
import { usePrefs } from '../stores/prefs'

/** Whether a camera stands in the region of the top bar, or anywhere below it. */
export function useInRegion() {
  const region = usePrefs(s => s.region)
  const regions = useRegions().data
  return useCallback(
    (camera: Camera) => {
      if (!region) return true
      const parents = new Map(regions?.map(r => [r.id, r.parent]))
      for (let at: string | null | undefined = camera.region, i = 0; at && i < 12; at = parents.get(at), i++)
        if (at === region) return true
      return false
    },
    [region, regions],
  )
}
