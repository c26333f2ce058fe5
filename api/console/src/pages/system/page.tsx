import { IconExternalLink } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useLink } from '../../api/events'
import { serverNow } from '../../api/http'
import { useCameras, useStatus } from '../../api/queries'
import type { StateReason, Status } from '../../api/types'
import { clockText } from '../../lib/time'
import { ZONE } from '../../lib/zone'
import { Mark, conditionOf, markOfCondition } from '../../ui/mark'
import { Bones, ProblemNote } from '../../ui/notes'
import { PageFrame, Push } from '../../ui/panel'
import { figures, section, type Figure } from './figures'
import css from './system.module.css'

export default function SystemPage() {
  const { t } = useTranslation()
  const status = useStatus()
  const tools = (
    <>
      <Push />
      <a className={css.api} href="/api/docs" target="_blank" rel="noreferrer" title={t('system.apiText')}>
        {t('system.api')}
        <IconExternalLink size={14} stroke={1.7} aria-hidden />
      </a>
    </>
  )
  return (
    <PageFrame title={t('system.title')} tools={tools}>
      <div className={css.page}>
        {status.isPending ? <Bones /> : null}
        {status.error ? <ProblemNote error={status.error} retry={() => void status.refetch()} /> : null}
        {status.data ? <Cards status={status.data} /> : null}
        <Down />
      </div>
    </PageFrame>
  )
}

function Cards({ status }: { status: Status }) {
  const { t } = useTranslation()
  const lostAt = useLink(s => s.lostAt)
  const { cameras, footage, gateway, ...rest } = status
  const recording = section(cameras).recording
  const total = section(cameras).enabled ?? section(cameras).total
  const well = recording === total
  const disk = section(footage).disk
  return (
    <div className={css.cards} data-testid="system-cards">
      <Card
        title={t('system.camerasTitle')}
        mark={<Mark kind={well ? 'recording' : 'stale'} />}
        figures={figures(cameras)}
      />
      <Card
        title={t('system.footageTitle')}
        mark={<Mark kind={disk === undefined || disk === 'writing' ? 'recording' : 'alarm'} />}
        figures={figures(footage)}
      />
      {gateway ? (
        <Card title={t('system.gatewayTitle')} mark={<Mark kind="recording" />} figures={figures(gateway)} />
      ) : null}
      <Card
        title={t('system.node')}
        mark={<Mark kind={lostAt === null ? 'recording' : 'stale'} />}
        figures={figures(rest)}
      >
        <dt>{t('system.live')}</dt>
        <dd>{lostAt === null ? t('system.linkOk') : `${t('system.linkLost')} ${clockText(lostAt, ZONE)}`}</dd>
      </Card>
    </div>
  )
}

function Card({
  title,
  mark,
  figures: list,
  children,
}: {
  title: string
  mark: ReactNode
  figures: Figure[]
  children?: ReactNode
}) {
  const { t, i18n } = useTranslation()
  const word = (key: string) =>
    i18n.exists(`system.figures.${key}`)
      ? t(`system.figures.${key}` as 'system.total')
      : key.replaceAll('_', ' ')
  return (
    <section className={css.card}>
      <h2>
        {mark}
        {title}
      </h2>
      <dl>
        {list.map(({ key, text }) => (
          <div key={key} style={{ display: 'contents' }}>
            <dt>{word(key)}</dt>
            <dd className="num">
              {i18n.exists(`system.values.${text}`) ? t(`system.values.${text}` as 'system.total') : text}
            </dd>
          </div>
        ))}
        {children}
      </dl>
    </section>
  )
}

/** What is not recording, and why: the first thing to look at. */
function Down() {
  const { t } = useTranslation()
  const cameras = useCameras()
  if (!cameras.data) return null
  const now = serverNow()
  const down = cameras.data.filter(c => ['down', 'late'].includes(conditionOf(c, now)))
  return (
    <section className={css.down}>
      <h2>{t('system.downTitle')}</h2>
      {down.length === 0 ? <p className="muted">{t('system.allWell')}</p> : null}
      {down.slice(0, 50).map(camera => (
        <p key={camera.id}>
          <Mark kind={markOfCondition[conditionOf(camera, now)]} />
          <Link to={`/cameras/${camera.id}`}>{camera.name}</Link>
          <span className="muted">
            {camera.state.reason ? t(`reasons.${camera.state.reason as StateReason}`) : ''}
          </span>
        </p>
      ))}
    </section>
  )
}
