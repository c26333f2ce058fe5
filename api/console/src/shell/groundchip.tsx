import { IconShieldHalf } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { useAlerts } from '../api/queries'
import type { Grant, Me } from '../api/types'
import { shortId } from '../lib/ids'
import { clockText, lengthText } from '../lib/time'
import { ZONE } from '../lib/zone'
import { GROUNDS_OF, isLive, useGround } from '../stores/ground'
import { useAlertTitle } from '../ui/alerttitle'
import { useNow } from '../ui/hooks'
import css from './shell.module.css'

const ENDING_MS = 5 * 60_000

/** Under what ground this window looks, and for how much longer. */
export function GroundChip({ me }: { me: Me }) {
  const { t } = useTranslation()
  const { grants, chosen, page, ask } = useGround()
  const now = useNow()
  const name = useGroundName()
  if (GROUNDS_OF[me.account.role].length === 0) return null
  const grant = grants.find(g => g.id === page) ?? grants.find(g => g.id === chosen)
  const left = grant && isLive(grant, now) ? Date.parse(grant.expires_at) - now : 0
  const state = left <= 0 ? 'none' : left < ENDING_MS ? 'ending' : 'good'
  return (
    <button
      className={css.chip}
      data-state={state}
      onClick={() => ask()}
      data-testid="ground-chip"
      title={grant?.reason ?? t('ground.noneHint')}
    >
      <IconShieldHalf size={15} stroke={1.7} aria-hidden />
      {grant && left > 0 ? (
        <>
          <span className="cut">{name(grant)}</span>
          <em className="num">{t('ground.left', { time: lengthText(left) })}</em>
        </>
      ) : (
        t('ground.none')
      )}
    </button>
  )
}

/** "Case DEMO-1"; alerts by their title, since their id says nothing. */
export function useGroundName() {
  const { t } = useTranslation()
  const alerts = useAlerts('open')
  const title = useAlertTitle()
  return (grant: Grant) => {
    const { kind, ref } = grant.ground
    const alert = kind === 'alert' ? alerts.data?.find(a => a.id === ref) : null
    const patrol =
      kind === 'patrol'
        ? t('ground.startedAt', { time: clockText(Date.parse(grant.created_at), ZONE).slice(0, 5) })
        : null
    return `${t(`ground.kinds.${kind}`)} ${alert ? title(alert) : (patrol ?? shortId(ref))}`
  }
}
