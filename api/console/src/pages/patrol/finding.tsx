import { Button, Group, Modal, Select, Textarea } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ProblemNote } from '../../ui/notes'
import { useFinding } from './queries'

interface Props {
  patrol: string
  cameras: { id: string; name: string }[]
  first: string | null
  close: () => void
}

/** What the operator noticed, at which camera. */
export function FindingDialog({ patrol, cameras, first, close }: Props) {
  const { t } = useTranslation()
  const add = useFinding(patrol)
  const [camera, setCamera] = useState(first ?? cameras[0]?.id ?? null)
  const [text, setText] = useState('')
  const [asked, setAsked] = useState(false)
  const save = () => {
    setAsked(true)
    if (!camera || !text.trim()) return
    const name = cameras.find(c => c.id === camera)?.name ?? camera
    add.mutate(
      { camera, text: text.trim() },
      {
        onSuccess: () => {
          notifications.show({ message: t('patrol.findingSaved', { camera: name }) })
          close()
        },
      },
    )
  }
  return (
    <Modal opened onClose={close} title={t('patrol.findingTitle')}>
      <Select
        label={t('common.camera')}
        data={cameras.map(c => ({ value: c.id, label: c.name }))}
        value={camera}
        onChange={setCamera}
        mb="sm"
      />
      <Textarea
        data-autofocus
        label={t('patrol.findingText')}
        value={text}
        onChange={e => setText(e.currentTarget.value)}
        error={asked && !text.trim() ? t('patrol.findingMissing') : undefined}
        autosize
        minRows={3}
        maxLength={1000}
        data-testid="finding-text"
      />
      {add.error ? <ProblemNote error={add.error} /> : null}
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={close}>
          {t('common.cancel')}
        </Button>
        <Button onClick={save} loading={add.isPending} data-testid="finding-save">
          {t('common.save')}
        </Button>
      </Group>
    </Modal>
  )
}
