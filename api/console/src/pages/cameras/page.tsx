import { Button, TextInput } from '@mantine/core'
import { IconDeviceCctv, IconPlus, IconSearch, IconUpload } from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate, useParams, useSearchParams } from 'react-router'
import { useCameras, useRegions, useRight } from '../../api/queries'
import type { Camera } from '../../api/types'
import { useNow } from '../../ui/hooks'
import { Mark, markOfCondition, type CameraCondition } from '../../ui/mark'
import { Bones, Empty, ProblemNote } from '../../ui/notes'
import { PageFrame, Push } from '../../ui/panel'
import { useInRegion } from '../../ui/region'
import { CameraDrawer } from './drawer'
import { countConditions, filterCameras } from './filter'
import { CameraForm } from './form'
import { ImportDialog } from './import'
import { CameraTable } from './table'
import css from './cameras.module.css'

const CONDITIONS: CameraCondition[] = ['recording', 'late', 'connecting', 'down', 'off']

export default function CamerasPage() {
  const { t } = useTranslation()
  const { id } = useParams()
  const navigate = useNavigate()
  const [params, setParams] = useSearchParams()
  const cameras = useCameras()
  const regions = useRegions()
  const inRegion = useInRegion()
  const mayEdit = useRight('edit_cameras')
  const now = useNow(5000)
  const [form, setForm] = useState<{ camera: Camera | null } | null>(null)
  const [importing, setImporting] = useState(false)

  const text = params.get('q') ?? ''
  const condition = params.get('state') as CameraCondition | null
  const set = (key: string, value: string | null) => {
    const next = new URLSearchParams(params)
    if (value) next.set(key, value)
    else next.delete(key)
    setParams(next, { replace: true })
  }
  const here = useMemo(() => (cameras.data ?? []).filter(inRegion), [cameras.data, inRegion])
  const shown = useMemo(() => filterCameras(here, { text, condition }, now), [here, text, condition, now])
  const counts = countConditions(here, now)
  const names = new Map(regions.data?.map(r => [r.id, r.name]))
  const regionName = (region: string) => names.get(region) ?? region
  const chosen = cameras.data?.find(c => c.id === id) ?? null
  const choose = (next: string | null) =>
    void navigate({ pathname: next ? `/cameras/${next}` : '/cameras', search: params.toString() })

  const tools = (
    <>
      <TextInput
        w={220}
        value={text}
        onChange={e => set('q', e.currentTarget.value)}
        placeholder={t('cameras.filter')}
        aria-label={t('cameras.filter')}
        leftSection={<IconSearch size={14} stroke={1.7} />}
        data-search
        data-testid="cameras-filter"
      />
      <div className={css.counts} role="group" aria-label={t('cameras.state')}>
        {CONDITIONS.filter(c => counts[c] > 0 || c === condition).map(c => (
          <button
            key={c}
            aria-pressed={condition === c}
            onClick={() => set('state', condition === c ? null : c)}
          >
            <Mark kind={markOfCondition[c]} />
            {t(`states.${c}`)} <span className="num">{counts[c]}</span>
          </button>
        ))}
      </div>
      <Push />
      <span className="muted num">{t('cameras.count', { shown: shown.length, total: here.length })}</span>
      {mayEdit ? (
        <>
          <Button
            variant="default"
            leftSection={<IconUpload size={15} stroke={1.7} />}
            onClick={() => setImporting(true)}
            data-testid="cameras-import"
          >
            {t('cameras.import')}
          </Button>
          <Button
            leftSection={<IconPlus size={15} stroke={1.9} />}
            onClick={() => setForm({ camera: null })}
            data-testid="cameras-add"
          >
            {t('cameras.add')}
          </Button>
        </>
      ) : null}
    </>
  )
  return (
    <PageFrame title={t('cameras.title')} tools={tools}>
      <div className={css.column}>
        {cameras.isPending ? <Bones rows={12} /> : null}
        {cameras.error ? <ProblemNote error={cameras.error} retry={() => void cameras.refetch()} /> : null}
        {cameras.data && here.length === 0 ? (
          <Empty
            icon={<IconDeviceCctv size={30} stroke={1.4} />}
            title={t('cameras.emptyTitle')}
            text={t('cameras.emptyText')}
          />
        ) : null}
        {here.length > 0 && shown.length === 0 ? (
          <Empty title={t('cameras.noMatch')}>
            <Button variant="default" onClick={() => setParams({}, { replace: true })}>
              {t('cameras.clear')}
            </Button>
          </Empty>
        ) : null}
        {shown.length > 0 ? (
          <CameraTable cameras={shown} regionName={regionName} chosen={chosen?.id ?? null} choose={choose} />
        ) : null}
      </div>
      {chosen ? (
        <CameraDrawer
          camera={chosen}
          region={regionName(chosen.region)}
          close={() => choose(null)}
          edit={() => setForm({ camera: chosen })}
        />
      ) : null}
      {form ? <CameraForm camera={form.camera} close={() => setForm(null)} /> : null}
      {importing ? <ImportDialog close={() => setImporting(false)} /> : null}
    </PageFrame>
  )
}
