// What stands round a picture: name, time of the frame shown, and what is wrong with it.

import { useTranslation } from 'react-i18next'
import type { Camera, GapReason } from '../api/types'
import { clockText, dateText, fullText, lengthText, nearText, offsetText } from '../lib/time'
import { ZONE } from '../lib/zone'
import { serverNow } from '../api/http'
import type { PlayerState } from '../players/live'
import { Mark } from '../ui/mark'
import css from './tile.module.css'

/** The time of the frame shown, to the second and with its offset. */
export function FrameTime({ at }: { at: number | null }) {
  if (at === null) return <span className={`${css.tag} num`}>--:--:--</span>
  const today = dateText(at, ZONE) === dateText(serverNow(), ZONE)
  return (
    <time
      className={`${css.time} num`}
      dateTime={new Date(at).toISOString()}
      title={fullText(at, ZONE)}
      data-frame-time
    >
      {today ? '' : `${dateText(at, ZONE)} `}
      {clockText(at, ZONE)} <small>{offsetText(at, ZONE)}</small>
    </time>
  )
}

export function Age({ seconds }: { seconds: number | null }) {
  const { t } = useTranslation()
  if (seconds === null) return null
  return (
    <span className={`${css.old} num`}>
      <Mark kind="stale" size={10} />
      {t('wall.old', { age: seconds < 60 ? `${seconds} s` : lengthText(seconds * 1000) })}
    </span>
  )
}

/** Since when and why there is no picture: in words, over the dimmed last one. */
export function Trouble({ state, camera }: { state: PlayerState; camera: Camera | undefined }) {
  const { t, i18n } = useTranslation()
  const dead = deadOf(state, camera)
  if (dead) {
    const since = dead.since
      ? t('wall.down', { time: nearText(dead.since, serverNow(), ZONE) })
      : t('wall.downNoTime')
    return (
      <div className={css.notice} data-testid="tile-down">
        <Mark kind="down" />
        <div>
          <p>
            {since}
            {dead.reason ? ` · ${t(`reasons.${dead.reason}`)}` : ''}
          </p>
          {camera?.state.retry_at && !camera.state.recording ? (
            <p>
              {t('cameras.retry', { time: nearText(Date.parse(camera.state.retry_at), serverNow(), ZONE) })}
            </p>
          ) : null}
        </div>
      </div>
    )
  }
  const { phase, trouble } = state
  if (phase === 'ended') {
    const key = `problems.${trouble?.code ?? ''}`
    return <Notice text={i18n.exists(key) ? t(key) : (trouble?.detail ?? t('wall.ended'))} />
  }
  if (phase === 'waiting') {
    const key = `problems.${trouble?.code ?? ''}`
    return <Notice text={trouble?.code && i18n.exists(key) ? t(key) : t('wall.waiting')} />
  }
  if (phase === 'connecting' && state.frameAt === null) return <Notice text={t('wall.connecting')} plain />
  return null
}

function Notice({ text, plain = false }: { text: string; plain?: boolean }) {
  return (
    <div className={css.notice}>
      {plain ? null : <Mark kind="stale" />}
      <p>{text}</p>
    </div>
  )
}

/** Whether the camera is down, by the stream's own word or by the registry's. */
export function deadOf(
  state: PlayerState,
  camera: Camera | undefined,
): { since: number | null; reason: GapReason | null } | null {
  if (state.phase === 'absent')
    return {
      since: state.absent?.since ? Date.parse(state.absent.since) : null,
      reason: (state.absent?.reason as GapReason | undefined) ?? null,
    }
  const known = camera?.state
  if (!known || known.recording || state.staleFor === null) return null
  return { since: known.since ? Date.parse(known.since) : null, reason: known.reason as GapReason | null }
}
