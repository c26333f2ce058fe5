import '@fontsource-variable/inter'
import '@fontsource/ibm-plex-mono/400.css'
import '@fontsource/ibm-plex-mono/600.css'
import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import './theme/global.css'

import { MantineProvider, localStorageColorSchemeManager } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { RouterProvider } from 'react-router'
import { Problem } from './api/http'
import { startI18n } from './i18n'
import { router } from './routes'
import { resolver, theme } from './theme/theme'
import { ConfirmHost } from './ui/confirm'

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5000,
      retry: (count, error) =>
        error instanceof Problem && (error.status === 0 || error.status >= 500) && count < 2,
    },
  },
})

// Pictures in memory go when nobody looks at them any more.
client.getQueryCache().subscribe(event => {
  const [kind] = event.query.queryKey
  const still = event.query.state.data as { url?: string } | undefined
  if (event.type === 'removed' && kind === 'still' && still?.url) URL.revokeObjectURL(still.url)
})

await startI18n()

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={resolver}
      defaultColorScheme="dark"
      colorSchemeManager={localStorageColorSchemeManager({ key: 'sightline.theme' })}
    >
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
        <ConfirmHost />
        <Notifications position="bottom-left" limit={4} className="toasts" transitionDuration={120} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
)
