import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { endGrant, useAct } from '../api/queries'
import { lengthText, stampText } from '../lib/time'
import { ZONE } from '../lib/zone'
import { isLive, useGround } from '../stores/ground'
import { askFirst } from '../ui/confirm'
import { useNow } from '../ui/hooks'
import { ProblemNote } from '../ui/notes'
import { useGroundName } from './groundchip'
import css from './ground.module.css'

/** The grants that are open, to take up again or to end. */
export function GroundList() {
  const { t } = useTranslation()
  const { grants, chosen, choose, drop, closeDialog } = useGround()
  const now = useNow()
  const name = useGroundName()
  const end = useAct(endGrant)
  const open = grants.filter(g => isLive(g, now)).sort((a, b) => b.created_at.localeCompare(a.created_at))
  if (open.length === 0) return null
  return (
    <section className={css.section}>
      <h3>{t('ground.active')}</h3>
      {end.error ? <ProblemNote error={end.error} /> : null}
      <ul className={css.list}>
        {open.slice(0, 6).map(grant => (
          <li key={grant.id} data-chosen={grant.id === chosen}>
            <div>
              <b className="cut">{name(grant)}</b>
              <span className="num">
                {stampText(Date.parse(grant.from), ZONE)} – {stampText(Date.parse(grant.to), ZONE)}
              </span>
              <span className="cut">{grant.reason}</span>
            </div>
            <em className="num">
              {t('ground.left', { time: lengthText(Date.parse(grant.expires_at) - now) })}
            </em>
            <Button
              variant={grant.id === chosen ? 'light' : 'default'}
              onClick={() => {
                choose(grant.id)
                closeDialog()
              }}
            >
              {grant.id === chosen ? t('ground.inUse') : t('ground.use')}
            </Button>
            <Button
              variant="subtle"
              color="gray"
              onClick={() =>
                askFirst({
                  text: t('ground.endAsk', { ref: name(grant) }),
                  action: t('ground.end'),
                  act: () => end.mutate(grant.id, { onSuccess: () => drop(grant.id) }),
                })
              }
            >
              {t('ground.end')}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  )
}
