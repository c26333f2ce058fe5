import { useTranslation } from 'react-i18next'
import { Mark } from '../../ui/mark'
import css from './patrol.module.css'

const R = 9
const ROUND = 2 * Math.PI * R

/** How much longer this view must be looked at before it counts. */
export function Dwell({ left, whole }: { left: number; whole: number }) {
  const { t } = useTranslation()
  if (left <= 0)
    return (
      <span className={css.dwell} data-testid="dwell" data-left={0}>
        <Mark kind="recording" size={12} />
        {t('patrol.dwellDone')}
      </span>
    )
  const share = whole > 0 ? 1 - left / whole : 1
  return (
    <span className={css.dwell} data-testid="dwell" data-left={Math.ceil(left / 1000)}>
      <svg width="24" height="24" viewBox="0 0 24 24" aria-hidden>
        <circle cx="12" cy="12" r={R} fill="none" stroke="var(--line-strong)" strokeWidth="3" />
        <circle
          cx="12"
          cy="12"
          r={R}
          fill="none"
          stroke="var(--accent)"
          strokeWidth="3"
          strokeDasharray={`${ROUND * share} ${ROUND}`}
          transform="rotate(-90 12 12)"
        />
      </svg>
      <span className="num">{t('patrol.seenIn', { s: Math.ceil(left / 1000) })}</span>
    </span>
  )
}
