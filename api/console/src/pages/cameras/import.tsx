import { Button, FileButton, Group, Modal } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { send } from '../../api/http'
import { keys, useAct } from '../../api/queries'
import type { ImportResult } from '../../api/types'
import { ProblemNote } from '../../ui/notes'
import { Mark } from '../../ui/mark'
import css from './cameras.module.css'

const COLUMNS =
  'id,name,region,kind,lat,lon,bearing_deg,fov_deg,range_m,tags,main_url,sub_url,user,password,policy,enabled'

/** Many cameras from one file: shown before it is sent, each line that was not taken said with its reason. */
export function ImportDialog({ close }: { close: () => void }) {
  const { t } = useTranslation()
  const [text, setText] = useState<string | null>(null)
  const send_ = useAct((csv: string) => send<ImportResult>('POST', '/cameras/import', csv), [keys.cameras])
  const lines = text?.trim().split('\n') ?? []
  const { data } = send_
  return (
    <Modal opened onClose={close} title={t('cameras.import')} size="lg">
      <div className={css.form}>
        <span className="muted">{t('cameras.importLead')}</span>
        <pre className={`${css.csv} mono`}>{text ? lines.slice(0, 8).join('\n') : COLUMNS}</pre>
        {send_.error ? <ProblemNote error={send_.error} /> : null}
        {data ? (
          <div data-testid="import-result">
            <p>{t('cameras.importDone', { ...data })}</p>
            {data.errors.length > 0 ? <p>{t('cameras.importErrors', { n: data.errors.length })}</p> : null}
            {data.errors.slice(0, 50).map(error => (
              <p key={error.line} style={{ display: 'flex', gap: 8, margin: 0 }}>
                <Mark kind="stale" />
                {t('cameras.importLine', { ...error })}
              </p>
            ))}
          </div>
        ) : null}
        <Group justify="flex-end">
          <FileButton accept=".csv,text/csv" onChange={file => void file?.text().then(setText)}>
            {props => (
              <Button variant={text ? 'default' : 'filled'} {...props} data-testid="import-pick">
                {t('cameras.importPick')}
              </Button>
            )}
          </FileButton>
          {text ? (
            <Button onClick={() => send_.mutate(text)} loading={send_.isPending} data-testid="import-go">
              {t('cameras.importGo', { n: lines.length - 1 })}
            </Button>
          ) : null}
        </Group>
      </div>
    </Modal>
  )
}
