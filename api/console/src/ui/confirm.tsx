// Destructive steps ask once, in words that name the thing.

import { Button, Group, Modal, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { create } from 'zustand'

interface Question {
  text: string
  action: string
  act: () => void
}

const useQuestion = create<{ question: Question | null }>(() => ({ question: null }))

export const askFirst = (question: Question) => useQuestion.setState({ question })

export function ConfirmHost() {
  const { t } = useTranslation()
  const question = useQuestion(s => s.question)
  const close = () => useQuestion.setState({ question: null })
  return (
    <Modal opened={question !== null} onClose={close} withCloseButton={false} size="sm">
      <Text size="md">{question?.text}</Text>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={close} data-testid="ask-cancel">
          {t('common.cancel')}
        </Button>
        <Button
          data-autofocus
          data-testid="ask-go"
          onClick={() => {
            question?.act()
            close()
          }}
        >
          {question?.action}
        </Button>
      </Group>
    </Modal>
  )
}
