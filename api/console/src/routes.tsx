import { Suspense, lazy } from 'react'
import { createBrowserRouter } from 'react-router'
import { Gate, Home, NotFound, RouteTrouble } from './shell/gate'
import { Guarded } from './shell/guarded'
import { LOADERS } from './shell/loaders'
import { Bones } from './ui/notes'
import type { PageName } from './shell/pages'

const PAGES = Object.fromEntries(
  Object.entries(LOADERS).map(([name, load]) => [name, lazy(load)]),
) as unknown as Record<PageName, ReturnType<typeof lazy>>

const page = (name: PageName) => {
  const Page = PAGES[name]
  return (
    <Guarded page={name}>
      <Suspense fallback={<Bones />}>
        <Page />
      </Suspense>
    </Guarded>
  )
}

export const router = createBrowserRouter([
  {
    path: '/',
    element: <Gate />,
    errorElement: <RouteTrouble />,
    children: [
      {
        errorElement: <RouteTrouble />,
        children: [
          { index: true, element: <Home /> },
          { path: 'wall', element: page('wall') },
          { path: 'patrol/:id?/:report?', element: page('patrol') },
          { path: 'desk/:id?', element: page('desk') },
          { path: 'playback/:camera?', element: page('playback') },
          { path: 'vehicles/:tab?', element: page('vehicles') },
          { path: 'cameras/:id?', element: page('cameras') },
          { path: 'audit', element: page('audit') },
          { path: 'system', element: page('system') },
          { path: '*', element: <NotFound /> },
        ],
      },
    ],
  },
])
