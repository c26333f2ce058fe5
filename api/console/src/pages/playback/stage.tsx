import { useTranslation } from 'react-i18next'
import type { Camera, GapReason } from '../../api/types'
import { hit } from '../../lib/timeline'
import { clockText, dateText, lengthText, offsetText } from '../../lib/time'
import { ZONE } from '../../lib/zone'
import { codecName } from '../../tiles/tile'
import { Mark } from '../../ui/mark'
import type { Bar, Hole } from './draw'
import type { Shown } from './footage'
import type { Playback } from './useplayback'
import css from './playback.module.css'

interface Props {
  playback: Playback
  camera: Camera
  still: Shown | null
  spans: readonly Bar[]
  gaps: readonly Hole[]
}

/** The picture, and on its rim what has to be said about it. */
export function Stage({ playback, still, gaps, camera, spans }: Props) {
  const { byStills, state, video } = playback
  return (
    <>
      <div className={css.stage}>
        <video ref={video} muted playsInline disablePictureInPicture data-testid="playback-video" />
        {byStills && still ? <img src={still.url} alt="" data-testid="playback-still" /> : null}
        <Notes playback={playback} gaps={gaps} />
      </div>
      <Strip
        camera={camera}
        at={byStills ? (still?.frameAt ?? playback.at) : state.at}
        playback={playback}
        spans={spans}
      />
    </>
  )
}

function Strip({
  camera,
  at,
  playback,
  spans,
}: {
  camera: Camera
  at: number | null
  playback: Playback
  spans: readonly Bar[]
}) {
  const { t } = useTranslation()
  const { byStills, speed, state } = playback
  const keyframes = at !== null && hit(spans, at, 0)?.policy === 'keyframes'
  return (
    <div className={css.strip}>
      <b className="cut">{camera.name}</b>
      {at !== null ? (
        <time className="num" dateTime={new Date(at).toISOString()} data-testid="playback-time" data-at={at}>
          {dateText(at, ZONE)} {clockText(at, ZONE)} <small>{offsetText(at, ZONE)}</small>
        </time>
      ) : null}
      <span className={css.push} />
      {byStills || keyframes ? (
        <span className={css.badge}>
          <Mark kind="neutral" size={10} />
          {t(byStills && !keyframes ? 'playback.still' : 'states.keyframes')}
        </span>
      ) : null}
      {speed < 0 ? <span className={css.badge}>{t('playback.reverse')}</span> : null}
      {state.codec ? <span className={css.badge}>{codecName(state.codec)}</span> : null}
      {speed !== 0 && speed !== 1 ? <span className="num">{speed}×</span> : null}
    </div>
  )
}

function Notes({ playback, gaps }: { playback: Playback; gaps: readonly Hole[] }) {
  const { t } = useTranslation()
  const { state, at } = playback
  const notes: string[] = []
  const reason = (from: number, to: number) => {
    const gap = hit(gaps, (from + to) / 2, (to - from) / 2 + 1000)
    return t(`reasons.${(gap?.reason ?? 'unknown') as GapReason}`)
  }
  if (state.phase === 'unplayable') notes.push(t('playback.codecText', { codec: codecName(state.codec) }))
  if (state.skipped) {
    const { from, to } = state.skipped
    notes.push(t('playback.skipped', { length: lengthText(to - from), reason: reason(from, to) }))
  }
  const gap = at !== null && playback.byStills ? hit(gaps, at, 0) : null
  if (gap) notes.push(t('playback.atGap', { reason: t(`reasons.${gap.reason as GapReason}`) }))
  if (state.phase === 'end') notes.push(t('playback.end'))
  if (state.phase === 'loading' && !playback.byStills) notes.push(t('playback.loading'))
  if (state.phase === 'waiting') notes.push(t('playback.waiting'))
  if (state.phase === 'failed') notes.push(t('playback.failed'), state.trouble ?? '')
  if (notes.length === 0) return null
  return (
    <div className={css.notes} role="status" data-testid="playback-notes">
      {notes.filter(Boolean).map(note => (
        <p key={note}>
          <Mark kind={state.phase === 'loading' ? 'neutral' : 'stale'} />
          {note}
        </p>
      ))}
    </div>
  )
}
