import { TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { serverNow } from '../../api/http'
import type { Camera } from '../../api/types'
import { DRAGGED } from '../../tiles/tile'
import { Mark, conditionOf, markOfCondition } from '../../ui/mark'
import css from './wall.module.css'

interface Props {
  cameras: Camera[]
  on: readonly string[]
  inScope: (camera: string) => boolean
  pick: (camera: string) => void
}

/** The cameras to drag or click onto the wall. Thousands of them scroll as well as ten. */
export function CameraList({ cameras, on, inScope, pick }: Props) {
  const { t } = useTranslation()
  const [text, setText] = useState('')
  const scroll = useRef<HTMLDivElement>(null)
  const shown = useMemo(() => {
    const wanted = text.trim().toLowerCase()
    return cameras.filter(
      c => !wanted || `${c.name} ${c.id} ${c.tags.join(' ')}`.toLowerCase().includes(wanted),
    )
  }, [cameras, text])
  // eslint-disable-next-line react-hooks/incompatible-library -- rows are cheap and not memoised
  const rows = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => 32,
    overscan: 8,
  })
  return (
    <aside className={css.list} aria-label={t('wall.list')}>
      <div className={css.filter}>
        <TextInput
          value={text}
          onChange={e => setText(e.currentTarget.value)}
          placeholder={t('wall.filter')}
          aria-label={t('wall.filter')}
          leftSection={<IconSearch size={14} stroke={1.7} />}
          data-search
        />
      </div>
      <div className={css.rows} ref={scroll}>
        <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {rows.getVirtualItems().map(row => {
            const camera = shown[row.index]
            if (!camera) return null
            const condition = conditionOf(camera, serverNow())
            return (
              <button
                key={camera.id}
                className={css.row}
                style={{ position: 'absolute', top: 0, transform: `translateY(${row.start}px)` }}
                data-on={on.includes(camera.id)}
                data-outside={!inScope(camera.id)}
                data-testid={`pick-${camera.id}`}
                draggable
                onDragStart={event => event.dataTransfer.setData(DRAGGED, camera.id)}
                onClick={() => pick(camera.id)}
                title={camera.name}
              >
                <Mark kind={markOfCondition[condition]} size={10} />
                <span className="cut">{camera.name}</span>
                <span>{condition === 'recording' ? '' : t(`states.${condition}`)}</span>
              </button>
            )
          })}
        </div>
      </div>
    </aside>
  )
}
