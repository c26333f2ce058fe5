// Passes are looked up under a ground only: inside its cameras and its time. Each search is in the log, so it is sent
// when asked for, never while typing.

import { Button, Switch, TextInput } from '@mantine/core'
import { IconCar, IconSearch } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useSearchParams } from 'react-router'
import { get, serverNow } from '../../api/http'
import { useCameras } from '../../api/queries'
import type { Grant, Page, Pass } from '../../api/types'
import { iso, stampText } from '../../lib/time'
import { ZONE } from '../../lib/zone'
import { NeedGround, useGrantFor } from '../../ui/ground'
import { Mark } from '../../ui/mark'
import { Bones, Empty, ProblemNote } from '../../ui/notes'
import { Stamp } from '../../ui/stamp'
import { DataTable, TableCss as css } from '../../ui/table'

export function Passes() {
  const { current } = useGrantFor()('', null)
  if (!current) return <NeedGround wish={{}} />
  return <Search key={current.id} grant={current} />
}

function Search({ grant }: { grant: Grant }) {
  const { t } = useTranslation()
  const [params, setParams] = useSearchParams()
  const asked = params.get('plate')
  const alike = params.get('alike') === '1'
  const [plate, setPlate] = useState(asked ?? '')
  const [fold, setFold] = useState(alike)
  const found = useInfiniteQuery({
    queryKey: ['passes', grant.id, asked, alike],
    enabled: asked !== null,
    initialPageParam: null as string | null,
    getNextPageParam: (page: Page<Pass>) => page.next,
    queryFn: ({ pageParam, signal }) =>
      get<Page<Pass>>(
        '/passes',
        {
          plate: asked,
          look_alike: alike ? 'true' : null,
          from: grant.from,
          to: iso(Math.min(Date.parse(grant.to), Math.max(serverNow(), Date.parse(grant.from) + 1000))),
          grant: grant.id,
          cursor: pageParam,
        },
        signal,
      ),
    staleTime: 60_000,
    refetchOnWindowFocus: false,
  })
  const passes = found.data?.pages.flatMap(p => p.items) ?? []
  return (
    <div className={css.column}>
      <form
        className={css.form}
        onSubmit={event => {
          event.preventDefault()
          setParams({ plate: plate.trim(), ...(fold ? { alike: '1' } : {}) })
        }}
      >
        <TextInput
          w={220}
          label={t('vehicles.plate')}
          value={plate}
          onChange={e => setPlate(e.currentTarget.value)}
          maxLength={16}
          data-search
          data-testid="passes-plate"
        />
        <Switch
          mb={7}
          label={t('vehicles.alike')}
          checked={fold}
          onChange={e => setFold(e.currentTarget.checked)}
        />
        <Button
          type="submit"
          leftSection={<IconSearch size={15} stroke={1.8} />}
          loading={found.isFetching}
          data-testid="passes-search"
        >
          {t('vehicles.search')}
        </Button>
        <span className="muted num" style={{ marginBottom: 6 }}>
          {stampText(Date.parse(grant.from), ZONE)} – {stampText(Date.parse(grant.to), ZONE)}
        </span>
      </form>
      {asked === null ? (
        <Empty
          icon={<IconCar size={30} stroke={1.4} />}
          title={t('vehicles.startTitle')}
          text={t('vehicles.startText')}
        />
      ) : null}
      {found.isLoading ? <Bones rows={10} /> : null}
      {found.error ? <ProblemNote error={found.error} retry={() => void found.refetch()} /> : null}
      {found.data && passes.length === 0 ? <Empty title={t('vehicles.none')} /> : null}
      {passes.length > 0 ? <PassTable passes={passes} /> : null}
      {found.hasNextPage ? (
        <div className={css.foot}>
          <Button
            variant="default"
            onClick={() => void found.fetchNextPage()}
            loading={found.isFetchingNextPage}
          >
            {t('vehicles.more')}
          </Button>
        </div>
      ) : null}
    </div>
  )
}

function PassTable({ passes }: { passes: Pass[] }) {
  const { t } = useTranslation()
  const cameras = useCameras()
  const name = (id: string) => cameras.data?.find(c => c.id === id)?.name ?? id
  const head = ['plate', 'time', 'camera', 'class', 'lane', 'direction', 'speed', 'confidence'] as const
  const labels = head.map(h =>
    h === 'time' ? t('common.time') : h === 'camera' ? t('common.camera') : t(`vehicles.${h}`),
  )
  return (
    <DataTable head={labels} testid="passes-table">
      {passes.map(pass => (
        <tr key={pass.id}>
          <td>
            <span className={css.cell}>
              {pass.hit ? <Mark kind="candidate" label={t('vehicles.hotlist')} /> : null}
              {pass.plate ? (
                <b className="plate">{pass.plate.raw}</b>
              ) : (
                <span className="muted">{t('vehicles.noPlate')}</span>
              )}
            </span>
          </td>
          <td>
            <Stamp at={pass.time} />
          </td>
          <td>{name(pass.camera)}</td>
          <td>{pass.vehicle_class ? t(`vehicles.classes.${pass.vehicle_class}`, pass.vehicle_class) : ''}</td>
          <td className="num">{pass.lane ?? ''}</td>
          <td>{pass.direction ? t(`vehicles.directions.${pass.direction}`, pass.direction) : ''}</td>
          <td className="num">{pass.speed_kmh ? `${Math.round(pass.speed_kmh)} km/h` : ''}</td>
          <td className="num">
            {pass.plate?.confidence ? `${Math.round(pass.plate.confidence * 100)}%` : ''}
          </td>
        </tr>
      ))}
    </DataTable>
  )
}
