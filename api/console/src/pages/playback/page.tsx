import { Select } from '@mantine/core'
import { IconPlayerPlay } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate, useParams, useSearchParams } from 'react-router'
import { serverNow } from '../../api/http'
import { useCameras } from '../../api/queries'
import { NeedGround, useGrantFor } from '../../ui/ground'
import { Bones, Empty, ProblemNote } from '../../ui/notes'
import { PageFrame } from '../../ui/panel'
import { useInRegion } from '../../ui/region'
import { Player } from './player'
import css from './playback.module.css'

export default function PlaybackPage() {
  const { t } = useTranslation()
  const { camera: id } = useParams()
  const [params] = useSearchParams()
  const navigate = useNavigate()
  const cameras = useCameras()
  const inRegion = useInRegion()
  const find = useGrantFor()
  const choices = useMemo(
    () =>
      (cameras.data ?? []).filter(c => inRegion(c) || c.id === id).map(c => ({ value: c.id, label: c.name })),
    [cameras.data, inRegion, id],
  )
  const camera = cameras.data?.find(c => c.id === id)
  const given = params.get('at')
  const at = given ? Date.parse(given) : null
  const { grant } = id ? find(id, at) : { grant: null }

  const tools = (
    <Select
      w={280}
      searchable
      data={choices}
      value={id ?? null}
      onChange={chosen => chosen && navigate({ pathname: `/playback/${chosen}`, search: params.toString() })}
      placeholder={t('playback.pickEmptyTitle')}
      aria-label={t('playback.pick')}
      data-testid="playback-camera"
      data-search
      limit={300}
    />
  )
  return (
    <PageFrame title={t('playback.title')} tools={tools}>
      <div className={css.page}>
        {cameras.isPending ? (
          <Bones />
        ) : cameras.error ? (
          <ProblemNote error={cameras.error} retry={() => void cameras.refetch()} />
        ) : !camera ? (
          <Empty
            icon={<IconPlayerPlay size={30} stroke={1.4} />}
            title={t('playback.pickEmptyTitle')}
            text={t('playback.pickEmptyText')}
          />
        ) : grant ? (
          <Player key={`${camera.id} ${grant.id}`} camera={camera} grant={grant} />
        ) : (
          <NeedGround
            camera={camera}
            at={at}
            wish={{
              cameras: [camera.id],
              ...(at && at < serverNow() - 3_000_000 ? { from: at - 1_800_000, to: at + 1_800_000 } : {}),
            }}
          />
        )}
      </div>
    </PageFrame>
  )
}
