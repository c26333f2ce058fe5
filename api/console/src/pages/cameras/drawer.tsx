// One camera: beside the table, never over it.

import { ActionIcon, Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconX } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { send, serverNow } from '../../api/http'
import { keys, useAct, useRight } from '../../api/queries'
import type { Camera } from '../../api/types'
import { GROUNDS_OF } from '../../stores/ground'
import { useSession } from '../../stores/session'
import { askFirst } from '../../ui/confirm'
import { Mark, conditionOf, markOfCondition } from '../../ui/mark'
import { ProblemNote } from '../../ui/notes'
import { Stamp } from '../../ui/stamp'
import css from './cameras.module.css'

interface Props {
  camera: Camera
  region: string
  close: () => void
  edit: () => void
}

export function CameraDrawer({ camera, region, close, edit }: Props) {
  const { t } = useTranslation()
  const me = useSession(s => s.me)
  const mayEdit = useRight('edit_cameras')
  const looks = me ? GROUNDS_OF[me.account.role].length > 0 : false
  const change = useAct(
    (enabled: boolean) => send('PATCH', `/cameras/${camera.id}`, { enabled, revision: camera.revision }),
    [keys.cameras],
  )
  const remove = useAct(() => send('DELETE', `/cameras/${camera.id}`), [keys.cameras])
  const toggle = () =>
    camera.enabled
      ? askFirst({
          text: t('cameras.disableAsk', { camera: camera.name }),
          action: t('cameras.disable'),
          act: () => change.mutate(false),
        })
      : change.mutate(true)
  const removeAsked = () =>
    askFirst({
      text: t('cameras.removeAsk', { camera: camera.name }),
      action: t('cameras.remove'),
      act: () =>
        remove.mutate(undefined, {
          onSuccess: () => {
            notifications.show({ message: t('cameras.removed', { camera: camera.name }) })
            close()
          },
        }),
    })
  const trouble = change.error ?? remove.error
  return (
    <aside className={css.drawer} aria-label={camera.name} data-testid="camera-drawer">
      <div className={css.drawerHead}>
        <h2 className="cut">{camera.name}</h2>
        <ActionIcon onClick={close} aria-label={t('common.close')}>
          <IconX size={17} stroke={1.7} />
        </ActionIcon>
      </div>
      <div className={css.drawerBody}>
        <StateReport camera={camera} />
        {trouble ? <ProblemNote error={trouble} /> : null}
        <Facts camera={camera} region={region} />
      </div>
      <div className={css.acts}>
        {looks ? (
          <>
            <Button component={Link} to={`/playback/${camera.id}`}>
              {t('cameras.toPlayback')}
            </Button>
            <Button component={Link} to={`/wall?n=1&c=${camera.id}`} variant="default">
              {t('cameras.toWall')}
            </Button>
          </>
        ) : null}
        {mayEdit ? (
          <>
            <Button variant="default" onClick={edit} data-testid="camera-edit">
              {t('cameras.edit')}
            </Button>
            <Button variant="default" onClick={toggle} loading={change.isPending} data-testid="camera-toggle">
              {camera.enabled ? t('cameras.disable') : t('cameras.enable')}
            </Button>
            <Button variant="subtle" color="gray" onClick={removeAsked} loading={remove.isPending}>
              {t('cameras.remove')}
            </Button>
          </>
        ) : null}
      </div>
    </aside>
  )
}

/** What is the matter, since when, and what happens next: in words. */
function StateReport({ camera }: { camera: Camera }) {
  const { t } = useTranslation()
  const condition = conditionOf(camera, serverNow())
  const { state } = camera
  return (
    <div className={css.report}>
      <Mark kind={markOfCondition[condition]} size={13} />
      <div>
        <p>
          <b>{t(`states.${condition}`)}</b>
          {state.reason && condition !== 'off' ? ` · ${t(`reasons.${state.reason}`)}` : ''}
        </p>
        {state.since ? (
          <p className="muted">
            {t('cameras.since')} <Stamp at={state.since} full />
          </p>
        ) : null}
        {state.detail ? <p className="muted">{state.detail}</p> : null}
        {state.retry_at && !state.recording ? (
          <p className="muted num">
            {t('cameras.retryLabel')} <Stamp at={state.retry_at} />
          </p>
        ) : null}
      </div>
    </div>
  )
}

function Facts({ camera, region }: { camera: Camera; region: string }) {
  const { t } = useTranslation()
  const { position } = camera
  const rows: [string, React.ReactNode][] = [
    [
      t('cameras.id'),
      <span className="mono" key="id">
        {camera.id}
      </span>,
    ],
    [t('cameras.region'), region],
    [t('cameras.kind'), t(`cameras.kinds.${camera.kind}`)],
    [t('cameras.policy'), t(`states.${camera.policy}`)],
    [t('cameras.lastGop'), <Stamp key="gop" at={camera.state.last_gop_at} full />],
    [
      t('cameras.position'),
      position
        ? `${position.lat.toFixed(5)}, ${position.lon.toFixed(5)} · ${Math.round(position.bearing_deg)}°`
        : t('cameras.none'),
    ],
    [t('cameras.tags'), camera.tags.join(' · ') || t('cameras.none')],
  ]
  if (camera.main_url) rows.push([t('cameras.mainUrl'), camera.main_url])
  if (camera.main_url) rows.push([t('cameras.subUrl'), camera.sub_url ?? t('cameras.none')])
  else rows.push([t('cameras.subUrl'), camera.has_sub ? t('common.yes') : t('common.no')])
  return (
    <dl className={css.facts}>
      {rows.map(([name, value]) => (
        <div key={name} style={{ display: 'contents' }}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
