import { notifications } from '@mantine/notifications'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useSearchParams } from 'react-router'
import { serverNow } from '../../api/http'
import { useAlerts } from '../../api/queries'
import type { Camera, Grant } from '../../api/types'
import { HOUR, iso } from '../../lib/time'
import { ZONE } from '../../lib/zone'
import { centre, follow, nextFootage, span, zoomAt, type View } from '../../lib/timeline'
import { useAlertTitle } from '../../ui/alerttitle'
import { useKeys } from '../../ui/hooks'
import { ProblemNote, useProblemWords } from '../../ui/notes'
import { FIRST_SPAN, inScope, useKeyFrames, useStills, useTimeline } from './footage'
import { saveClip } from './saveclip'
import { Stage } from './stage'
import { Timeline } from './timeline'
import { Transport } from './transport'
import { usePlayback } from './useplayback'
import css from './playback.module.css'

/** The address says where the head stands and how much time is in view. */
function firstView(params: URLSearchParams, grant: Grant): { view: View; at: number; play: boolean } {
  const given = Date.parse(params.get('at') ?? '')
  const newest = Math.min(serverNow(), Date.parse(grant.to))
  const at = Number.isNaN(given) ? Math.max(Date.parse(grant.from), newest - 30_000) : given
  const seconds = Number(params.get('span'))
  const length =
    seconds > 0 ? seconds * 1000 : Math.min(FIRST_SPAN, Date.parse(grant.to) - Date.parse(grant.from))
  // Nothing lies ahead of now: the newest stands near the right edge, anything older in the middle.
  const right = Math.min(at + length / 2, Math.max(newest, at) + length * 0.12)
  return {
    view: { from: right - length, to: right },
    at,
    play: Number.isNaN(given) || params.get('play') === '1',
  }
}

export function Player({ camera, grant }: { camera: Camera; grant: Grant }) {
  const { t } = useTranslation()
  const words = useProblemWords()
  const [params, setParams] = useSearchParams()
  const [first] = useState(() => firstView(params, grant))
  const [view, setView] = useState(first.view)
  const timeline = useTimeline(camera.id, grant, view)
  const spans = useMemo(() => timeline.data?.spans ?? [], [timeline.data])
  const gaps = useMemo(() => timeline.data?.gaps ?? [], [timeline.data])
  const playback = usePlayback(camera.id, grant, spans)
  const { at, byStills } = playback
  const [hover, setHover] = useState<number | null>(null)
  const frames = useKeyFrames(camera.id, grant, hover ?? at)
  const tip = useStills(camera.id, grant, 320)
  const large = useStills(camera.id, grant, 1280)
  const alerts = useAlerts('all')
  const title = useAlertTitle()
  const [saving, setSaving] = useState(false)

  const { go, ready } = playback
  useEffect(() => {
    if (ready) go(first.at, first.play)
  }, [ready, go, first])
  useAddress(at, view, setParams)

  // What the stage shows when it is not video.
  const { want: wantLarge } = large
  useEffect(() => {
    if (byStills && at !== null) wantLarge(at, frames, span(view))
  }, [byStills, at, frames, view, wantLarge])

  // The view follows the head while it plays, unless somebody has just moved it.
  const moved = useRef(0)
  const moveView = (next: View) => {
    moved.current = performance.now()
    setView(next)
  }
  useEffect(() => {
    if (at !== null && performance.now() - moved.current > 8000) setView(v => follow(v, at))
  }, [at])

  const stepKey = (by: 1 | -1) => {
    if (at === null) return
    const next = by > 0 ? frames.find(f => f > at + 50) : frames.findLast(f => f < at - 50)
    go(next ?? nextFootage(spans, at + by * 2000) ?? at, false)
  }
  const save = async () => {
    const range = inScope(grant, view.from, Math.min(view.to, serverNow(), view.from + HOUR))
    if (!range) return
    setSaving(true)
    try {
      const n = await saveClip(camera.id, grant.id, range.from, range.to)
      const text =
        n > 0
          ? t('playback.clipGaps', { camera: camera.name, n })
          : t('playback.clipDone', { camera: camera.name })
      notifications.show({ message: text })
    } catch (error) {
      notifications.show({ message: words(error).title, color: 'yellow' })
    } finally {
      setSaving(false)
    }
  }
  const newest = () => go(Math.min(serverNow(), Date.parse(grant.to)) - 6000, true)
  useKeys({
    ' ': playback.toggle,
    j: () => playback.press('j'),
    k: () => playback.press('k'),
    l: () => playback.press('l'),
    ArrowLeft: () => playback.stepFrame(-1),
    ArrowRight: () => playback.stepFrame(1),
    'Shift+ArrowLeft': () => stepKey(-1),
    'Shift+ArrowRight': () => stepKey(1),
    f: () =>
      void (document.fullscreenElement
        ? document.exitFullscreen()
        : playback.video.current?.parentElement?.requestFullscreen()),
  })

  const scene = useMemo(
    () => ({
      view,
      zone: ZONE,
      spans,
      gaps,
      head: at,
      scope: { from: Date.parse(grant.from), to: Date.parse(grant.to) },
      events: (alerts.data ?? [])
        .filter(a => a.camera === camera.id)
        .map(a => ({ id: a.id, at: Date.parse(a.occurred_at), title: title(a) })),
    }),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the words follow the language, as t does
    [view, spans, gaps, at, grant, alerts.data, camera.id, t],
  )
  return (
    <div className={css.page}>
      <Stage playback={playback} camera={camera} still={large.still} spans={spans} gaps={gaps} />
      {timeline.error ? <ProblemNote error={timeline.error} retry={() => void timeline.refetch()} /> : null}
      <Timeline
        scene={scene}
        still={tip.still}
        moveView={moveView}
        point={p => {
          setHover(p)
          if (p !== null) tip.want(p, frames, span(view))
        }}
        scrub={p => {
          playback.scrub(p)
          tip.want(p, frames, span(view))
        }}
        release={p => go(p, true)}
      />
      <Transport
        playing={playback.speed !== 0}
        speed={playback.speed}
        at={at}
        spanMs={span(view)}
        toggle={playback.toggle}
        setSpeed={playback.setSpeed}
        stepFrame={playback.stepFrame}
        stepKey={stepKey}
        newest={newest}
        go={p => {
          setView(v => centre(v, p))
          go(p, true)
        }}
        zoom={factor =>
          moveView(zoomAt(view, 1000, at === null ? 500 : ((at - view.from) / span(view)) * 1000, factor))
        }
        save={() => void save()}
        saving={saving}
      />
    </div>
  )
}

/** Keeps the page's address true, a little behind. */
function useAddress(at: number | null, view: View, setParams: ReturnType<typeof useSearchParams>[1]) {
  const second = at === null ? null : Math.floor(at / 1000) * 1000
  const seconds = Math.round(span(view) / 1000)
  useEffect(() => {
    if (second === null) return
    const timer = setTimeout(
      () => setParams({ at: iso(second), span: String(seconds) }, { replace: true }),
      700,
    )
    return () => clearTimeout(timer)
  }, [second, seconds, setParams])
}
