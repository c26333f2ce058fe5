import { frame } from './zh/frame'
import { watch } from './zh/watch'
import { work } from './zh/work'
import { rest } from './zh/rest'
import type { Words } from './words'

export const zh: Words = { ...frame, ...watch, ...work, ...rest }
