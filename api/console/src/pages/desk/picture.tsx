// The picture beside the text. Looking at it needs the ground of this alert, which is opened when the alert is chosen.

import { Button } from '@mantine/core'
import { IconPhotoOff, IconPlayerPlay } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { fetchStill } from '../../api/footage'
import { serverNow } from '../../api/http'
import { openGrant } from '../../api/queries'
import type { Alert, Camera, Grant } from '../../api/types'
import { isClosed } from '../../lib/alerts'
import { SECOND, clockText, iso } from '../../lib/time'
import { ZONE } from '../../lib/zone'
import { GROUNDS_OF, isLive, useGround } from '../../stores/ground'
import { useSession } from '../../stores/session'
import { useGrantFor, usePageGround } from '../../ui/ground'
import { Empty, ProblemNote } from '../../ui/notes'
import css from './desk.module.css'

const BEFORE = 30 * SECOND
const AFTER = 30 * SECOND
/** The film: seconds before and after the moment. */
const FILM = [-8, -4, 0, 4, 8]

/** The grant on this alert: the one there is, or a new one. */
function useAlertGrant(alert: Alert, may: boolean) {
  const { t } = useTranslation()
  const { grants, add } = useGround()
  const existing = grants.find(
    g => g.ground.kind === 'alert' && g.ground.ref === alert.id && isLive(g, serverNow()),
  )
  const query = useQuery({
    queryKey: ['alert-grant', alert.id],
    enabled: may && !existing && alert.camera !== null && !isClosed(alert.state),
    staleTime: Infinity,
    gcTime: 0,
    queryFn: async () => {
      const at = Date.parse(alert.occurred_at)
      const grant = await openGrant({
        ground: { kind: 'alert', ref: alert.id },
        cameras: alert.camera ? [alert.camera] : [],
        regions: [],
        from: iso(at - BEFORE),
        to: iso(at + AFTER),
        reason: `${t('desk.title')}: ${alert.title}`.slice(0, 200),
      })
      add(grant, false)
      return grant
    },
  })
  return { grant: existing ?? query.data ?? null, error: query.error, retry: () => void query.refetch() }
}

export function Picture({ alert, camera }: { alert: Alert; camera: Camera | undefined }) {
  const { t } = useTranslation()
  const me = useSession(s => s.me)
  const may = me ? GROUNDS_OF[me.account.role].includes('alert') : false
  const { grant: own, error, retry } = useAlertGrant(alert, may)
  // Who may not open the ground of an alert may still look under a case that covers it.
  const other = useGrantFor()(alert.camera ?? '', Date.parse(alert.occurred_at)).grant
  const grant = own ?? other
  usePageGround(grant?.id ?? null)
  const icon = <IconPhotoOff size={28} stroke={1.4} />
  const kinds = me
    ? GROUNDS_OF[me.account.role].map(k => t(`ground.kinds.${k}`)).join(t('ground.kindsJoin'))
    : ''
  const blank = (text: string) => (
    <div className={css.picture}>
      <div className={css.big}>
        <div>
          <Empty icon={icon} title={t('desk.noPicture')} text={text} />
        </div>
      </div>
    </div>
  )
  if (!alert.camera) return blank(t('desk.noCamera'))
  if (!may && !grant) return blank(t('desk.roleNoPicture', { kinds }))
  if (!grant && isClosed(alert.state)) return blank(t('desk.closedNoPicture'))
  if (error)
    return (
      <div className={css.picture} style={{ padding: 16 }}>
        <ProblemNote error={error} retry={retry} />
      </div>
    )
  return <Frames key={alert.id} alert={alert} camera={camera} grant={grant} />
}

function useStill(alert: Alert, grant: Grant | null, offset: number, width: number) {
  const at = Date.parse(alert.occurred_at) + offset * SECOND
  return useQuery({
    queryKey: ['still', alert.camera, at, width, grant?.id],
    enabled: grant !== null && alert.camera !== null && at < serverNow(),
    queryFn: ({ signal }) => fetchStill(alert.camera ?? '', grant?.id ?? '', at, width, signal),
    staleTime: Infinity,
    // A moment that has just passed is not stored yet: look again until its key frame is there.
    refetchInterval: query => {
      const shown = query.state.data?.frameAt
      const late = shown === undefined || shown === null || Math.abs(shown - at) > 4 * SECOND
      return late && serverNow() - at < 60 * SECOND ? 2000 : false
    },
  })
}

function Frames({ alert, camera, grant }: { alert: Alert; camera: Camera | undefined; grant: Grant | null }) {
  const { t } = useTranslation()
  const [offset, setOffset] = useState(0)
  const still = useStill(alert, grant, offset, 1280)
  const at = Date.parse(alert.occurred_at) + offset * SECOND
  const shown = still.data?.frameAt ?? null
  const late = shown !== null && Math.abs(shown - at) > 4 * SECOND
  return (
    <div className={css.picture}>
      <div className={css.big}>
        {still.data ? (
          <img src={still.data.url} alt={camera?.name ?? ''} data-testid="alert-picture" />
        ) : null}
        {still.error && !still.data ? (
          <div>
            <Empty
              icon={<IconPhotoOff size={28} stroke={1.4} />}
              title={t('desk.noPicture')}
              text={still.error.message}
            />
          </div>
        ) : null}
      </div>
      <div className={css.film}>
        {FILM.map(seconds => (
          <FilmFrame
            key={seconds}
            alert={alert}
            grant={grant}
            seconds={seconds}
            chosen={seconds === offset}
            choose={() => setOffset(seconds)}
          />
        ))}
      </div>
      <div className={css.caption}>
        <b className="cut">{camera?.name ?? alert.camera}</b>
        <span className="num">
          {shown === null
            ? ''
            : t(late ? 'desk.pictureLate' : 'desk.picture', { time: clockText(shown, ZONE) })}
        </span>
        <span style={{ flex: 1 }} />
        <Button
          component={Link}
          to={`/playback/${alert.camera}?at=${encodeURIComponent(iso(Date.parse(alert.occurred_at) - 5 * SECOND))}&span=60&play=1`}
          variant="default"
          leftSection={<IconPlayerPlay size={14} stroke={1.7} />}
          onClick={() => grant && useGround.getState().choose(grant.id)}
          disabled={!grant}
        >
          {t('desk.openPlayback')}
        </Button>
      </div>
    </div>
  )
}

interface FilmProps {
  alert: Alert
  grant: Grant | null
  seconds: number
  chosen: boolean
  choose: () => void
}

function FilmFrame({ alert, grant, seconds, chosen, choose }: FilmProps) {
  const { t } = useTranslation()
  const still = useStill(alert, grant, seconds, 320)
  const label =
    seconds === 0 ? t('desk.atTime') : t(seconds < 0 ? 'desk.before' : 'desk.after', { s: Math.abs(seconds) })
  return (
    <button aria-pressed={chosen} onClick={choose} aria-label={label}>
      {still.data ? <img src={still.data.url} alt="" /> : null}
      <span>{label}</span>
    </button>
  )
}
