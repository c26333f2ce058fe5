// Players come and go with their tiles; React only holds the elements they draw into.

import { useEffect, useRef, useState } from 'react'
import { fetchStill, liveUrl } from '../api/footage'
import { serverNow } from '../api/http'
import { LivePlayer, idleState, type PlayerState, type StreamChoice } from '../players/live'
import { StillPlayer } from '../players/stillplayer'
import { Store } from '../players/store'
import { useStore } from '../ui/hooks'

const NOTHING = new Store<PlayerState>(idleState)

/** Only what can be seen is pulled. */
function useVisible(element: React.RefObject<HTMLElement | null>) {
  const [visible, setVisible] = useState(true)
  useEffect(() => {
    if (!element.current) return
    const observer = new IntersectionObserver(entries => setVisible(entries.at(-1)?.isIntersecting ?? true))
    observer.observe(element.current)
    return () => observer.disconnect()
  }, [element])
  return visible
}

export function useLivePlayer(camera: string, grant: string, stream: StreamChoice) {
  const video = useRef<HTMLVideoElement>(null)
  const [player, setPlayer] = useState<LivePlayer | null>(null)
  const visible = useVisible(video)
  useEffect(() => {
    if (!video.current || !visible) return
    const made = new LivePlayer(video.current, choice => liveUrl(camera, grant, choice), stream)
    setPlayer(made)
    made.start()
    return () => made.stop()
  }, [camera, grant, stream, visible])
  return { video, state: useStore(player?.state ?? NOTHING) }
}

export function useStillPlayer(camera: string, grant: string, width: number) {
  const image = useRef<HTMLImageElement>(null)
  const [player, setPlayer] = useState<StillPlayer | null>(null)
  const visible = useVisible(image)
  useEffect(() => {
    if (!image.current || !visible) return
    const fetchOne = (at: number | 'latest', signal?: AbortSignal) =>
      fetchStill(camera, grant, at, width, signal)
    const made = new StillPlayer(image.current, fetchOne, serverNow)
    setPlayer(made)
    made.start()
    return () => made.stop()
  }, [camera, grant, width, visible])
  return { image, state: useStore(player?.state ?? NOTHING) }
}

/** The last picture of a camera that is down. */
export function useLastPicture(camera: string, grant: string, wanted: boolean) {
  const [still, setStill] = useState<{ url: string; frameAt: number | null } | null>(null)
  useEffect(() => {
    if (!wanted) return
    const abort = new AbortController()
    let url = ''
    fetchStill(camera, grant, 'latest', 960, abort.signal)
      .then(found => {
        url = found.url
        setStill(found)
      })
      .catch(() => undefined)
    return () => {
      abort.abort()
      if (url) URL.revokeObjectURL(url)
      setStill(null)
    }
  }, [camera, grant, wanted])
  return still
}
