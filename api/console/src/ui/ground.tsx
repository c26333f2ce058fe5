// Which ground a picture may use, and what to say when there is none.

import { Button } from '@mantine/core'
import { IconShieldHalf } from '@tabler/icons-react'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { useCameras, useRegions } from '../api/queries'
import type { Camera, Grant } from '../api/types'
import { stampText } from '../lib/time'
import { ZONE } from '../lib/zone'
import { useGroundName } from '../shell/groundchip'
import { GROUNDS_OF, holdsCamera, holdsTime, isLive, useGround, type GroundWish } from '../stores/ground'
import { useSession } from '../stores/session'
import { useNow } from './hooks'
import { Empty } from './notes'

/** The grants that still stand, the chosen one first. */
export function useGrants(): Grant[] {
  const { grants, chosen } = useGround()
  const now = useNow(5000)
  return grants
    .filter(g => isLive(g, now))
    .sort(
      (a, b) => Number(b.id === chosen) - Number(a.id === chosen) || b.created_at.localeCompare(a.created_at),
    )
}

/** Finds the grant for one camera at one time: the chosen one if it holds it, else no other without a click. */
export function useGrantFor() {
  const { chosen } = useGround()
  const grants = useGrants()
  const cameras = useCameras()
  const regions = useRegions()
  return (camera: string, at: number | null) => {
    const known = cameras.data?.find((c: Camera) => c.id === camera)
    const current = grants.find(g => g.id === chosen) ?? null
    const fits = (g: Grant) =>
      holdsCamera(g, known, camera, regions.data ?? []) && (at === null || holdsTime(g, at))
    return {
      current,
      grant: current && fits(current) ? current : null,
      others: grants.filter(g => g !== current && fits(g)),
    }
  }
}

/** While a page looks under a grant of its own, the chip in the bar shows that one. */
export function usePageGround(id: string | null) {
  const setPage = useGround(s => s.setPage)
  useEffect(() => {
    setPage(id)
    return () => setPage(null)
  }, [id, setPage])
}

export function NeedGround(props: {
  camera?: Camera | undefined
  at?: number | null
  wish: GroundWish
  compact?: boolean
}) {
  const { t } = useTranslation()
  const me = useSession(s => s.me)
  const { ask, choose } = useGround()
  const find = useGrantFor()
  const name = useGroundName()
  const now = useNow(5000)
  const kinds = GROUNDS_OF[me?.account.role ?? 'auditor']
  const { current, others } = find(props.camera?.id ?? '', props.at ?? now)
  if (kinds.length === 0) return <Empty title={t('ground.needTitle')} text={t('ground.cannot')} />
  const range = current && {
    from: stampText(Date.parse(current.from), ZONE),
    to: stampText(Date.parse(current.to), ZONE),
  }
  const outsideTime = current && props.camera && !holdsTime(current, props.at ?? now)
  const text =
    outsideTime && range
      ? t(props.at ? 'ground.needTime' : 'ground.needLive', range)
      : current && props.camera
        ? t('ground.needCamera', { camera: props.camera.name })
        : t('ground.needText', { kinds: kinds.map(k => t(`ground.kinds.${k}`)).join(t('ground.kindsJoin')) })
  return (
    <Empty
      icon={<IconShieldHalf size={props.compact ? 22 : 30} stroke={1.4} />}
      title={t('ground.needTitle')}
      text={text}
    >
      {others[0] ? (
        <Button variant="default" onClick={() => others[0] && choose(others[0].id)}>
          {t('ground.useOther', { ref: name(others[0]) })}
        </Button>
      ) : null}
      <Button
        variant={props.compact ? 'default' : 'filled'}
        onClick={() => ask(props.wish)}
        data-testid="need-ground"
      >
        {t('ground.offer')}
      </Button>
    </Empty>
  )
}
