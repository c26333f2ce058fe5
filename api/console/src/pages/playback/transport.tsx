import { ActionIcon, Button, Popover, TextInput, Tooltip } from '@mantine/core'
import {
  IconCalendarClock,
  IconChevronLeft,
  IconChevronRight,
  IconDownload,
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  IconPlayerSkipForward,
  IconPlayerTrackNext,
  IconPlayerTrackPrev,
  IconZoomIn,
  IconZoomOut,
  type Icon,
} from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { FORWARD } from '../../lib/shuttle'
import { fieldInstant, fieldText, offsetText } from '../../lib/time'
import { spanText } from '../../lib/timeline'
import { ZONE } from '../../lib/zone'
import css from './playback.module.css'

interface Props {
  playing: boolean
  speed: number
  at: number | null
  spanMs: number
  toggle: () => void
  setSpeed: (speed: number) => void
  stepFrame: (by: 1 | -1) => void
  stepKey: (by: 1 | -1) => void
  newest: () => void
  go: (at: number) => void
  zoom: (factor: number) => void
  save: () => void
  saving: boolean
}

export function Transport(props: Props) {
  const { t } = useTranslation()
  const { playing, speed } = props
  return (
    <div className={css.transport} role="toolbar" aria-label={t('playback.title')} onMouseUp={giveKeysBack}>
      <Tool
        icon={IconPlayerTrackPrev}
        label={`${t('playback.keyBack')} (Shift ←)`}
        act={() => props.stepKey(-1)}
      />
      <Tool icon={IconChevronLeft} label={`${t('playback.stepBack')} (←)`} act={() => props.stepFrame(-1)} />
      <ActionIcon
        size={34}
        variant="filled"
        color="accent"
        onClick={props.toggle}
        aria-label={playing ? t('playback.pause') : t('playback.play')}
        data-testid="playback-play"
        data-playing={playing}
      >
        {playing ? <IconPlayerPauseFilled size={17} /> : <IconPlayerPlayFilled size={17} />}
      </ActionIcon>
      <Tool icon={IconChevronRight} label={`${t('playback.stepOn')} (→)`} act={() => props.stepFrame(1)} />
      <Tool
        icon={IconPlayerTrackNext}
        label={`${t('playback.keyOn')} (Shift →)`}
        act={() => props.stepKey(1)}
      />
      <div className={css.speeds} role="group" aria-label={t('playback.speed')}>
        {FORWARD.map(n => (
          <button
            key={n}
            className="num"
            aria-pressed={Math.abs(speed) === n && speed > 0}
            onClick={() => props.setSpeed(n)}
            data-testid={`speed-${n}`}
          >
            {n}×
          </button>
        ))}
      </div>
      <Tool
        icon={IconPlayerSkipForward}
        label={t('playback.newest')}
        act={props.newest}
        testid="playback-newest"
      />
      <GoTo at={props.at} go={props.go} />
      <Legend />
      <span className={css.push} />
      <Tool icon={IconZoomOut} label={t('playback.zoomOut')} act={() => props.zoom(2)} testid="zoom-out" />
      <span className={`${css.span} num`}>{spanText(props.spanMs)}</span>
      <Tool icon={IconZoomIn} label={t('playback.zoomIn')} act={() => props.zoom(0.5)} testid="zoom-in" />
      <Tooltip label={t('playback.downloadHint')}>
        <Button
          ml={8}
          variant="default"
          leftSection={<IconDownload size={15} stroke={1.7} />}
          onClick={props.save}
          loading={props.saving}
          data-testid="save-clip"
        >
          {t('playback.download')}
        </Button>
      </Tooltip>
    </div>
  )
}

/** After a click the keys are the player's again: Space must not press the same button twice. */
function giveKeysBack() {
  if (document.activeElement instanceof HTMLButtonElement) document.activeElement.blur()
}

function Tool({
  icon: Glyph,
  label,
  act,
  testid,
}: {
  icon: Icon
  label: string
  act: () => void
  testid?: string
}) {
  return (
    <Tooltip label={label}>
      <ActionIcon onClick={act} aria-label={label} data-testid={testid}>
        <Glyph size={18} stroke={1.6} />
      </ActionIcon>
    </Tooltip>
  )
}

function Legend() {
  const { t } = useTranslation()
  return (
    <div className={css.legend} aria-hidden>
      <span>
        <i data-kind="full" />
        {t('playback.spanFull')}
      </span>
      <span>
        <i data-kind="keyframes" />
        {t('playback.spanKey')}
      </span>
      <span>
        <i data-kind="gap" />
        {t('playback.gap')}
      </span>
    </div>
  )
}

function GoTo({ at, go }: { at: number | null; go: (at: number) => void }) {
  const { t } = useTranslation()
  const [opened, setOpened] = useState(false)
  const [text, setText] = useState('')
  const target = fieldInstant(text, ZONE)
  const leave = () => {
    if (target === null) return
    go(target)
    setOpened(false)
  }
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      position="top"
      withArrow
      trapFocus
      transitionProps={{ duration: 80 }}
    >
      <Popover.Target>
        <Tooltip label={t('playback.goto')}>
          <ActionIcon
            aria-label={t('playback.goto')}
            data-testid="goto"
            onClick={() => {
              setText(at === null ? '' : fieldText(at, ZONE))
              setOpened(o => !o)
            }}
          >
            <IconCalendarClock size={18} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown>
        <form
          style={{ display: 'flex', gap: 8, alignItems: 'flex-end' }}
          onSubmit={event => {
            event.preventDefault()
            leave()
          }}
        >
          <TextInput
            type="datetime-local"
            step={1}
            label={`${t('playback.goto')} (${offsetText(target ?? at ?? 0, ZONE)})`}
            value={text}
            onChange={e => setText(e.currentTarget.value)}
            data-testid="goto-time"
          />
          <Button type="submit" disabled={target === null}>
            {t('playback.go')}
          </Button>
        </form>
      </Popover.Dropdown>
    </Popover>
  )
}
