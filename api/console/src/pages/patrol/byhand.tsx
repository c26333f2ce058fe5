import { Button, MultiSelect, SegmentedControl, Select, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useRegions } from '../../api/queries'
import type { Selection } from '../../api/types'
import { usePrefs } from '../../stores/prefs'
import { ProblemNote } from '../../ui/notes'
import { useSelected, type NewPatrol } from './queries'
import css from './patrol.module.css'

/** A view picked by hand: where, which tags, how long unseen. */
export function ByHand({ begin, busy }: { begin: (body: NewPatrol) => void; busy: boolean }) {
  const { t } = useTranslation()
  const regions = useRegions()
  const here = usePrefs(s => s.region)
  const [places, setPlaces] = useState<string[]>(here ? [here] : [])
  const [tags, setTags] = useState('')
  const [unseen, setUnseen] = useState('')
  const [layout, setLayout] = useState('4')
  const [dwell, setDwell] = useState('5')
  const selection: Selection = {
    regions: places,
    cameras: [],
    tags: tags
      .toLowerCase()
      .split(/[\s,，]+/)
      .filter(Boolean),
    unseen_for_s: unseen ? Number(unseen) : null,
  }
  const found = useSelected(selection, Number(layout))
  const total = found.data?.total ?? 0
  return (
    <form
      className={css.byhand}
      onSubmit={event => {
        event.preventDefault()
        begin({ selection, layout: Number(layout), dwell_s: Number(dwell) })
      }}
    >
      <h2>{t('patrol.byHand')}</h2>
      <MultiSelect
        label={t('patrol.region')}
        data={(regions.data ?? []).map(r => ({ value: r.id, label: r.name }))}
        value={places}
        onChange={setPlaces}
        placeholder={places.length === 0 ? t('common.everywhere') : ''}
        searchable
        clearable
      />
      <TextInput
        label={t('patrol.tags')}
        description={t('patrol.tagsHint')}
        value={tags}
        onChange={e => setTags(e.currentTarget.value)}
      />
      <Select
        label={t('patrol.unseen')}
        data={[
          { value: '', label: t('patrol.unseenAny') },
          { value: '3600', label: t('patrol.unseen1h') },
          { value: '14400', label: t('patrol.unseen4h') },
          { value: '86400', label: t('patrol.unseen24h') },
        ]}
        value={unseen}
        onChange={value => setUnseen(value ?? '')}
      />
      <div>
        <span className={css.label}>{t('patrol.layout')}</span>
        <SegmentedControl
          fullWidth
          value={layout}
          onChange={setLayout}
          data={['1', '4', '9']}
          data-testid="patrol-layout"
        />
      </div>
      <div>
        <span className={css.label}>{t('patrol.dwell')}</span>
        <SegmentedControl
          fullWidth
          value={dwell}
          onChange={setDwell}
          data={['3', '5', '10', '20'].map(n => ({ value: n, label: t('patrol.dwellS', { n }) }))}
        />
      </div>
      {found.error ? <ProblemNote error={found.error} /> : null}
      <span className="muted" data-testid="patrol-preview">
        {found.data
          ? total > 0
            ? t('patrol.preview', { n: total })
            : t('patrol.previewNone')
          : t('common.loading')}
      </span>
      <Button type="submit" size="sm" loading={busy} disabled={total === 0} data-testid="patrol-start-view">
        {t('patrol.start')}
      </Button>
    </form>
  )
}
