import { Modal, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { Me } from '../api/types'
import { GROUNDS_OF, useGround } from '../stores/ground'
import { Empty } from '../ui/notes'
import { GroundForm } from './groundform'
import { GroundList } from './groundlist'

export function GroundDialog({ me }: { me: Me }) {
  const { t } = useTranslation()
  const { wish, closeDialog } = useGround()
  return (
    <Modal
      opened={wish !== null}
      onClose={closeDialog}
      title={t('ground.dialog')}
      size="lg"
      data-testid="ground-dialog"
    >
      {GROUNDS_OF[me.account.role].length === 0 ? (
        <Empty title={t('ground.none')} text={t('ground.cannot')} />
      ) : (
        <>
          <Text c="dimmed" size="sm" mb="md">
            {t('ground.lead')}
          </Text>
          <GroundList />
          {wish ? <GroundForm me={me} wish={wish} done={closeDialog} /> : null}
        </>
      )}
    </Modal>
  )
}
