// Saving a stretch as MP4, and saying what is missing in it.

import { clipUrl } from '../../api/footage'
import { request } from '../../api/http'
import { fieldText } from '../../lib/time'
import { ZONE } from '../../lib/zone'

/** Saves a clip; the answer is how many gaps it has. */
export async function saveClip(camera: string, grant: string, from: number, to: number): Promise<number> {
  const response = await request(clipUrl(camera, grant, from, to))
  const url = URL.createObjectURL(await response.blob())
  const link = document.createElement('a')
  link.href = url
  link.download = `${camera}_${fieldText(from, ZONE).replaceAll(':', '')}.mp4`
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
  return Number(response.headers.get('x-gaps') ?? 0)
}
