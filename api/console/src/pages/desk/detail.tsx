import { useTranslation } from 'react-i18next'
import type { Alert, Camera, Region } from '../../api/types'
import { shortId } from '../../lib/ids'
import { useAlertTitle } from '../../ui/alerttitle'
import { Mark, markOfAlert } from '../../ui/mark'
import { Stamp } from '../../ui/stamp'
import { useSession } from '../../stores/session'
import { Acts } from './acts'
import { Picture } from './picture'
import { Plates } from './plates'
import css from './desk.module.css'

interface Props {
  alert: Alert
  camera: Camera | undefined
  regions: Region[]
  moved: (alert: Alert) => void
}

/** One alert: the picture, and beside it what is said of it and what can be done. */
export function Detail({ alert, camera, regions, moved }: Props) {
  const { t } = useTranslation()
  const { source } = alert
  const title = useAlertTitle()(alert)
  const region = regions.find(r => r.id === (alert.region ?? camera?.region))
  return (
    <div className={css.detail}>
      <Picture alert={alert} camera={camera} />
      <section className={css.text} data-testid="alert-detail" data-alert={alert.id} data-state={alert.state}>
        <div className={css.scroll}>
          <div className={css.state}>
            <Mark kind={markOfAlert[alert.state]} size={13} />
            <b>{t(`desk.states.${alert.state}`)}</b>
            {source.kind === 'alarm' && source.drill ? (
              <span className={css.drill}>{t('desk.drill')}</span>
            ) : null}
          </div>
          <h2>{title}</h2>
          {source.kind === 'hotlist' ? (
            <Plates read={source.plate_read} listed={source.plate_listed} lookAlike={source.look_alike} />
          ) : null}
          <dl className={css.facts}>
            <dt>{t('desk.source')}</dt>
            <dd>
              {source.kind === 'hotlist'
                ? `${t('desk.sources.hotlist')} · ${t(`desk.hotlistReasons.${source.reason}`, source.reason)}`
                : t(`desk.alarms.${source.alarm}`, source.alarm)}
            </dd>
            <dt>{t('desk.severity')}</dt>
            <dd>{t(`desk.severities.${alert.severity}`)}</dd>
            <dt>{t('desk.occurred')}</dt>
            <dd>
              <Stamp at={alert.occurred_at} full />
            </dd>
            <dt>{t('desk.raised')}</dt>
            <dd>
              <Stamp at={alert.raised_at} full />
            </dd>
            <dt>{t('desk.place')}</dt>
            <dd>{[region?.name, camera?.name].filter(Boolean).join(' · ') || '–'}</dd>
            {alert.repeats > 0 ? (
              <>
                <dt />
                <dd>{t('desk.repeats', { n: alert.repeats })}</dd>
              </>
            ) : null}
          </dl>
          <History alert={alert} />
        </div>
        <Acts key={alert.id} alert={alert} moved={moved} />
      </section>
    </div>
  )
}

function History({ alert }: { alert: Alert }) {
  const { t } = useTranslation()
  const me = useSession(s => s.me)
  const who = (id: string) => (id === me?.account.id ? me.account.name : shortId(id))
  return (
    <>
      <h3>{t('desk.history')}</h3>
      {alert.history.length === 0 ? <span className="muted">{t('desk.noHistory')}</span> : null}
      <ul className={css.history}>
        {alert.history.map(note => (
          <li key={`${note.at} ${note.step}`}>
            <Stamp at={note.at} />
            <span>
              {t(`desk.done.${note.step}`)} · {who(note.account)}
            </span>
            {note.note ? <p>{note.note}</p> : null}
          </li>
        ))}
      </ul>
    </>
  )
}
