// Registering a camera, or changing one. Passwords go in and never come back.

import {
  Button,
  Group,
  Modal,
  PasswordInput,
  SegmentedControl,
  Select,
  Switch,
  TextInput,
} from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { send } from '../../api/http'
import { keys, useAct, useRegions } from '../../api/queries'
import type { Camera, CameraKind, Policy } from '../../api/types'
import { ProblemNote } from '../../ui/notes'
import { bodyOf, firstFields, type Fields } from './fields'
import css from './cameras.module.css'

export function CameraForm({ camera, close }: { camera: Camera | null; close: () => void }) {
  const { t } = useTranslation()
  const [fields, setFields] = useState(() => firstFields(camera))
  const change = (part: Partial<Fields>) => setFields(f => ({ ...f, ...part }))
  const save = useAct(
    () =>
      camera
        ? send('PATCH', `/cameras/${camera.id}`, bodyOf(fields, camera))
        : send('POST', '/cameras', bodyOf(fields, null)),
    [keys.cameras],
  )
  const submit = () =>
    save.mutate(undefined, {
      onSuccess: () => {
        notifications.show({
          message: t(camera ? 'cameras.saved' : 'cameras.added', { camera: fields.name }),
        })
        close()
      },
    })
  const ready = fields.id && fields.name.trim() && fields.region && fields.main_url
  return (
    <Modal opened onClose={close} title={camera ? camera.name : t('cameras.add')} size="lg">
      <form
        className={css.form}
        onSubmit={event => {
          event.preventDefault()
          submit()
        }}
      >
        <Place fields={fields} change={change} fixedId={camera !== null} />
        <Streams fields={fields} change={change} stored={camera?.has_credentials ?? false} />
        {save.error ? <ProblemNote error={save.error} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" loading={save.isPending} disabled={!ready} data-testid="camera-save">
            {t('common.save')}
          </Button>
        </Group>
      </form>
    </Modal>
  )
}

interface PartProps {
  fields: Fields
  change: (part: Partial<Fields>) => void
}

function Place({ fields, change, fixedId }: PartProps & { fixedId: boolean }) {
  const { t } = useTranslation()
  const regions = useRegions()
  const text = (
    key: 'id' | 'name' | 'tags' | 'lat' | 'lon' | 'bearing',
    label: string,
    more: object = {},
  ) => (
    <TextInput
      label={label}
      value={fields[key]}
      onChange={e => change({ [key]: e.currentTarget.value })}
      data-testid={`camera-field-${key}`}
      {...more}
    />
  )
  return (
    <>
      <div className={css.two}>
        {text('name', t('cameras.name'), { maxLength: 100, 'data-autofocus': true })}
        {text('id', t('cameras.id'), {
          disabled: fixedId,
          description: fixedId ? undefined : t('cameras.idHint'),
          maxLength: 24,
        })}
      </div>
      <div className={css.two}>
        <Select
          label={t('cameras.region')}
          data={(regions.data ?? []).map(r => ({ value: r.id, label: r.name }))}
          value={fields.region}
          onChange={region => change({ region })}
          searchable
          data-testid="camera-field-region"
        />
        <Select
          label={t('cameras.kind')}
          data={(['street', 'compound', 'key_site'] as CameraKind[]).map(k => ({
            value: k,
            label: t(`cameras.kinds.${k}`),
          }))}
          value={fields.kind}
          onChange={kind => change({ kind: kind as CameraKind })}
        />
      </div>
      <div className={css.two} style={{ gridTemplateColumns: '1fr 1fr 1fr' }}>
        {text('lat', t('cameras.lat'), { inputMode: 'decimal' })}
        {text('lon', t('cameras.lon'), { inputMode: 'decimal' })}
        {text('bearing', `${t('cameras.bearing')} (°)`, { inputMode: 'decimal' })}
      </div>
      {text('tags', t('cameras.tags'), { description: t('cameras.tagsHint') })}
    </>
  )
}

function Streams({ fields, change, stored }: PartProps & { stored: boolean }) {
  const { t } = useTranslation()
  return (
    <>
      <TextInput
        label={t('cameras.mainUrl')}
        description={t('cameras.urlHint')}
        value={fields.main_url}
        onChange={e => change({ main_url: e.currentTarget.value })}
        placeholder="rtsp://"
        data-testid="camera-field-main"
      />
      <TextInput
        label={`${t('cameras.subUrl')} (${t('common.optional')})`}
        value={fields.sub_url}
        onChange={e => change({ sub_url: e.currentTarget.value })}
        placeholder="rtsp://"
      />
      <div className={css.two}>
        <TextInput
          label={`${t('cameras.user')} (${t('common.optional')})`}
          value={fields.user}
          onChange={e => change({ user: e.currentTarget.value })}
          autoComplete="off"
        />
        <PasswordInput
          label={t('cameras.password')}
          value={fields.password}
          onChange={e => change({ password: e.currentTarget.value })}
          autoComplete="new-password"
        />
      </div>
      <span className={`muted ${css.hint}`}>
        {t('cameras.credentialsHint')} {stored ? t('cameras.passwordHint') : null}
      </span>
      <Group>
        <SegmentedControl
          value={fields.policy}
          onChange={policy => change({ policy: policy as Policy })}
          data={(['full', 'keyframes'] as Policy[]).map(p => ({ value: p, label: t(`states.${p}`) }))}
          aria-label={t('cameras.policy')}
        />
        <Switch
          label={t('cameras.enabled')}
          checked={fields.enabled}
          onChange={e => change({ enabled: e.currentTarget.checked })}
        />
      </Group>
    </>
  )
}
