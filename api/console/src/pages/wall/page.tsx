import { ActionIcon, Button, SegmentedControl, Tooltip } from '@mantine/core'
import { IconArrowLeft, IconDeviceCctv, IconLayoutSidebarRight, IconMaximize } from '@tabler/icons-react'
import { useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useSearchParams } from 'react-router'
import { useCameras } from '../../api/queries'
import type { Camera, Layout } from '../../api/types'
import { usePrefs } from '../../stores/prefs'
import { Bones, Empty, ProblemNote } from '../../ui/notes'
import { NeedGround, useGrantFor } from '../../ui/ground'
import { useKeys } from '../../ui/hooks'
import { PageFrame, Push } from '../../ui/panel'
import { useInRegion } from '../../ui/region'
import { CameraList } from './list'
import { WallTile } from './walltile'
import { place, readWall, resize, takeOff, writeWall, type Wall } from './state'
import css from './wall.module.css'

const KEPT = 'sightline.wall'

/** The wall's address; without one, the wall as it last was in this window. */
function useWall(first: readonly string[]) {
  const [params, setParams] = useSearchParams()
  const kept =
    params.has('c') || params.has('n') ? params : new URLSearchParams(sessionStorage.getItem(KEPT) ?? '')
  const wall = readWall(kept, first)
  const setWall = (next: Wall) => {
    const text = writeWall(next)
    sessionStorage.setItem(KEPT, text.toString())
    setParams(text, { replace: true })
  }
  return [wall, setWall] as const
}

export default function WallPage() {
  const { t } = useTranslation()
  const cameras = useCameras()
  const inRegion = useInRegion()
  const { wallList, toggleWallList } = usePrefs()
  const find = useGrantFor()
  const stage = useRef<HTMLDivElement>(null)
  const [selected, setSelected] = useState(0)
  const all = useMemo(() => (cameras.data ?? []).filter(inRegion), [cameras.data, inRegion])
  const first = useMemo(() => firstCameras(all, id => find(id, null).grant !== null), [all, find])
  const [wall, setWall] = useWall(first)
  const known = new Map(cameras.data?.map(c => [c.id, c]))
  const spot = wall.spot && known.has(wall.spot) ? wall.spot : null
  const toggleSpot = (camera: string) => setWall({ ...wall, spot: spot ? null : camera || null })
  const fullScreen = () =>
    document.fullscreenElement ? document.exitFullscreen() : stage.current?.requestFullscreen()

  const digits = Object.fromEntries(
    Array.from({ length: wall.layout }, (_, i) => [String(i + 1), () => setSelected(i)]),
  )
  useKeys({
    ...digits,
    Enter: () => toggleSpot(wall.tiles[selected] ?? ''),
    f: () => void fullScreen(),
    Escape: () => (spot ? setWall({ ...wall, spot: null }) : false),
  })

  if (cameras.isPending) return <Bones />
  if (cameras.error) return <ProblemNote error={cameras.error} retry={() => void cameras.refetch()} />
  if (cameras.data.length === 0)
    return (
      <Empty
        icon={<IconDeviceCctv size={30} stroke={1.4} />}
        title={t('wall.noCameras')}
        text={t('wall.noCamerasText')}
      />
    )

  const tools = (
    <>
      <SegmentedControl
        value={String(wall.layout)}
        onChange={n => setWall(resize(wall, Number(n) as Layout, first))}
        data={['1', '4', '9'].map(n => ({ value: n, label: n }))}
        aria-label={t('wall.layout')}
        data-testid="wall-layout"
      />
      {spot ? (
        <Button
          variant="default"
          leftSection={<IconArrowLeft size={15} />}
          onClick={() => setWall({ ...wall, spot: null })}
        >
          {t('wall.spotBack')}
        </Button>
      ) : null}
      <Push />
      <Tooltip label={`${t('wall.full')} (F)`}>
        <ActionIcon onClick={() => void fullScreen()} aria-label={t('wall.full')}>
          <IconMaximize size={17} stroke={1.6} />
        </ActionIcon>
      </Tooltip>
      <Tooltip label={t('wall.list')}>
        <ActionIcon onClick={toggleWallList} aria-label={t('wall.list')} aria-pressed={wallList}>
          <IconLayoutSidebarRight size={18} stroke={1.6} />
        </ActionIcon>
      </Tooltip>
    </>
  )
  const wish = { cameras: wall.tiles.filter(Boolean) }
  const { current } = find('', null)
  const tile = (camera: string, i: number) => (
    <WallTile
      key={camera || `empty-${i}`}
      camera={camera}
      known={known.get(camera)}
      number={wall.layout > 1 ? i + 1 : undefined}
      large={wall.layout === 1}
      selected={wall.layout > 1 && selected === i}
      choose={() => setSelected(i)}
      open={() => toggleSpot(camera)}
      remove={() => setWall(takeOff(wall, i))}
      drop={dragged => setWall(place(wall, i, dragged))}
      wish={wish}
    />
  )
  return (
    <PageFrame title={t('wall.title')} tools={tools}>
      <div className={css.stage} ref={stage}>
        {!current ? (
          <NeedGround wish={wish} />
        ) : spot ? (
          <div className={css.grid} data-n="1">
            <WallTile camera={spot} known={known.get(spot)} large open={() => toggleSpot(spot)} wish={wish} />
          </div>
        ) : (
          <div className={css.grid} data-n={wall.layout} data-testid="wall-grid">
            {wall.tiles.map(tile)}
          </div>
        )}
      </div>
      {wallList ? (
        <CameraList
          cameras={all}
          on={wall.tiles}
          inScope={id => find(id, null).grant !== null}
          pick={camera => {
            setWall(place({ ...wall, spot: null }, selected, camera))
            setSelected((selected + 1) % wall.layout)
          }}
        />
      ) : null}
    </PageFrame>
  )
}

/** What an untouched wall shows: cameras that the ground covers, then those that record, then the rest. */
function firstCameras(all: Camera[], covered: (id: string) => boolean): string[] {
  const rank = (c: Camera) => (covered(c.id) ? 0 : 2) + (c.enabled ? 0 : 1)
  return [...all].sort((a, b) => rank(a) - rank(b)).map(c => c.id)
}
