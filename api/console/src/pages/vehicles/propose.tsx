import { Button, Group, Modal, Select, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { send, serverNow } from '../../api/http'
import { keys, useAct, useCases } from '../../api/queries'
import { DAY, HOUR, iso } from '../../lib/time'
import { ProblemNote } from '../../ui/notes'

const REASONS = [
  'stolen',
  'hit_and_run',
  'cloned_plate',
  'dangerous_goods',
  'case_vehicle',
  'welfare',
] as const
const TERMS = [12 * HOUR, DAY, 7 * DAY, 30 * DAY]

/** A plate to be looked for: with a reason of the list, a case and an end. */
export function Propose({ close }: { close: () => void }) {
  const { t } = useTranslation()
  const cases = useCases(true)
  const [plate, setPlate] = useState('')
  const [reason, setReason] = useState<string>('stolen')
  const [number, setNumber] = useState<string | null>(null)
  const [term, setTerm] = useState(String(7 * DAY))
  const [asked, setAsked] = useState(false)
  const propose = useAct((body: object) => send('POST', '/hotlist', body), [keys.hotlist])
  const submit = () => {
    setAsked(true)
    if (!plate.trim() || !number) return
    propose.mutate(
      { plate: plate.trim(), reason, case: number, valid_to: iso(serverNow() + Number(term)) },
      {
        onSuccess: () => {
          notifications.show({ message: t('vehicles.proposed', { plate: plate.trim() }) })
          close()
        },
      },
    )
  }
  return (
    <Modal opened onClose={close} title={t('vehicles.propose')}>
      <div style={{ display: 'grid', gap: 12 }}>
        <TextInput
          data-autofocus
          label={t('vehicles.plate')}
          value={plate}
          onChange={e => setPlate(e.currentTarget.value)}
          error={asked && !plate.trim() ? t('vehicles.plateMissing') : undefined}
          maxLength={16}
        />
        <Select
          label={t('vehicles.reason')}
          data={REASONS.map(r => ({ value: r, label: t(`desk.hotlistReasons.${r}`) }))}
          value={reason}
          onChange={value => setReason(value ?? 'stolen')}
        />
        <Select
          label={t('vehicles.case')}
          data={(cases.data ?? []).map(c => ({ value: c.number, label: `${c.number} · ${c.title}` }))}
          value={number}
          onChange={setNumber}
          error={asked && !number ? t('ground.refMissing') : undefined}
          nothingFoundMessage={t('ground.noCases')}
        />
        <Select
          label={t('vehicles.validity')}
          data={TERMS.map(ms => ({
            value: String(ms),
            label: ms < 2 * DAY ? t('vehicles.hours', { n: ms / HOUR }) : t('vehicles.days', { n: ms / DAY }),
          }))}
          value={term}
          onChange={value => setTerm(value ?? String(DAY))}
        />
        {propose.error ? <ProblemNote error={propose.error} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t('common.cancel')}
          </Button>
          <Button onClick={submit} loading={propose.isPending}>
            {t('vehicles.propose')}
          </Button>
        </Group>
      </div>
    </Modal>
  )
}
