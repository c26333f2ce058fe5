// Footage: every address carries the grant it is looked at under.

import type { KeyFrame, Timeline } from './types'
import { BASE, address, get, request } from './http'
import { iso } from '../lib/time'
import type { Still } from '../players/stills'
import type { StreamChoice } from '../players/live'

export function liveUrl(camera: string, grant: string, stream: StreamChoice): string {
  const url = new URL(`${BASE}/footage/${encodeURIComponent(camera)}/live`, location.href)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  url.search = new URLSearchParams({ grant, stream }).toString()
  return url.href
}

export async function fetchStill(
  camera: string,
  grant: string,
  at: number | 'latest',
  width?: number,
  signal?: AbortSignal,
): Promise<Still> {
  const url = address(`/footage/${encodeURIComponent(camera)}/frame.jpg`, {
    at: at === 'latest' ? at : iso(at),
    grant,
    width,
  })
  const response = await request(url, { signal: signal ?? null })
  const time = response.headers.get('x-frame-time')
  return {
    url: URL.createObjectURL(await response.blob()),
    frameAt: time ? Date.parse(time) : null,
  }
}

export const getTimeline = (camera: string, grant: string, from: number, to: number) =>
  get<Timeline>(`/footage/${encodeURIComponent(camera)}/timeline`, { from: iso(from), to: iso(to), grant })

export async function getKeyFrames(
  camera: string,
  grant: string,
  from: number,
  to: number,
): Promise<number[]> {
  const page = await get<{ items: KeyFrame[] }>(`/footage/${encodeURIComponent(camera)}/keyframes`, {
    from: iso(from),
    to: iso(to),
    limit: 1000,
    grant,
  })
  return page.items.map(frame => Date.parse(frame.at))
}

export const playlistUrl = (camera: string, grant: string, from: number, to: number) =>
  address(`/footage/${encodeURIComponent(camera)}/playlist.m3u8`, { from: iso(from), to: iso(to), grant })

export const clipUrl = (camera: string, grant: string, from: number, to: number) =>
  address(`/footage/${encodeURIComponent(camera)}/clip.mp4`, { from: iso(from), to: iso(to), grant })
