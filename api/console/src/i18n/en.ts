import { frame } from './en/frame'
import { watch } from './en/watch'
import { work } from './en/work'
import { rest } from './en/rest'

export const en = { ...frame, ...watch, ...work, ...rest }
