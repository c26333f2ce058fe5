import { useTranslation } from 'react-i18next'
import { lengthText, stampText } from '../../lib/time'
import { ZONE } from '../../lib/zone'
import type { Bar, Event, Hole } from './draw'
import css from './timeline.module.css'

export interface Tipped {
  gap: Hole | null
  span: Bar | null
  event: Event | null
  outside: boolean
}

/** At the pointer: the time, a still, and whatever there is to say about this instant. */
export function Tip(props: {
  x: number
  at: number
  tipped: Tipped
  still: { url: string; frameAt: number | null } | null
}) {
  const { t } = useTranslation()
  const { gap, span, event, outside } = props.tipped
  return (
    <div className={css.tip} style={{ left: props.x }} data-testid="timeline-tip">
      {props.still && span && !gap ? <img src={props.still.url} alt="" /> : null}
      <p className="num">{stampText(props.at, ZONE)}</p>
      {gap ? (
        <p className={css.warn}>
          {t('playback.gap')} {lengthText(gap.to - gap.from)} · {t(`reasons.${gap.reason}`)}
        </p>
      ) : span ? (
        <p className={css.muted}>{span.policy === 'full' ? t('playback.spanFull') : t('playback.spanKey')}</p>
      ) : (
        <p className={css.muted}>{outside ? t('playback.outside') : t('playback.nothing')}</p>
      )}
      {event ? <p>{event.title}</p> : null}
    </div>
  )
}
