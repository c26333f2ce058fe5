// The pages' code, fetched when needed.

export const LOADERS = {
  wall: () => import('../pages/wall/page'),
  patrol: () => import('../pages/patrol/page'),
  desk: () => import('../pages/desk/page'),
  playback: () => import('../pages/playback/page'),
  vehicles: () => import('../pages/vehicles/page'),
  cameras: () => import('../pages/cameras/page'),
  audit: () => import('../pages/audit/page'),
  system: () => import('../pages/system/page'),
}

/** Pages are small: all are fetched once somebody works here, so that none is missing when the gateway is. */
export const preloadPages = () => Promise.allSettled(Object.values(LOADERS).map(load => load()))
