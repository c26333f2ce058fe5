import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core'

const accent: MantineColorsTuple = [
  '#e8f2ff',
  '#cfe2ff',
  '#a8ccff',
  '#7db4ff',
  '#5ea5ff',
  '#4c9aff',
  '#2f82f0',
  '#1565d8',
  '#0f51b0',
  '#0b3f8a',
]
const dark: MantineColorsTuple = [
  '#e6eaf0',
  '#c3ccd6',
  '#9aa6b2',
  '#7d8894',
  '#2f3a46',
  '#27303a',
  '#1c232c',
  '#151a21',
  '#0e1116',
  '#090b0f',
]
const alarm: MantineColorsTuple = [
  '#ffecec',
  '#ffd5d4',
  '#faaaa8',
  '#f77d7a',
  '#f36360',
  '#f0524f',
  '#d63f3c',
  '#c8302d',
  '#a02421',
  '#7a1917',
]

export const theme = createTheme({
  fontFamily:
    "'Inter Variable', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', sans-serif",
  fontFamilyMonospace: "'IBM Plex Mono', 'Noto Sans Mono CJK SC', 'Noto Sans CJK SC', monospace",
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.1875rem' },
  headings: {
    fontWeight: '600',
    sizes: { h1: { fontSize: '1.1875rem' }, h2: { fontSize: '1rem' }, h3: { fontSize: '0.875rem' } },
  },
  colors: { accent, dark, alarm },
  primaryColor: 'accent',
  primaryShade: { light: 7, dark: 5 },
  autoContrast: true,
  luminanceThreshold: 0.28,
  defaultRadius: 4,
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'xs' } },
    TextInput: { defaultProps: { size: 'xs' } },
    PasswordInput: { defaultProps: { size: 'xs' } },
    NumberInput: { defaultProps: { size: 'xs' } },
    Textarea: { defaultProps: { size: 'xs' } },
    Select: { defaultProps: { size: 'xs', allowDeselect: false } },
    MultiSelect: { defaultProps: { size: 'xs' } },
    SegmentedControl: { defaultProps: { size: 'xs', transitionDuration: 0 } },
    Switch: { defaultProps: { size: 'xs' } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray', size: 28 } },
    Tooltip: { defaultProps: { openDelay: 250, transitionProps: { duration: 80 } } },
    Modal: { defaultProps: { transitionProps: { duration: 100 }, centered: true } },
    Drawer: { defaultProps: { transitionProps: { duration: 100 }, position: 'right' } },
    Menu: { defaultProps: { transitionProps: { duration: 80 }, shadow: 'md' } },
  },
})

/** Mantine's own variables follow the console's tokens, so that every control stands on the same surfaces. */
export const resolver: CSSVariablesResolver = () => ({
  variables: {},
  dark: {
    '--mantine-color-body': '#151a21',
    '--mantine-color-text': '#e6eaf0',
    '--mantine-color-dimmed': '#9aa6b2',
    '--mantine-color-default': '#1c232c',
    '--mantine-color-default-hover': '#242d38',
    '--mantine-color-default-border': '#33404d',
    '--mantine-color-placeholder': '#7d8894',
    '--mantine-color-error': '#f0807d',
  },
  light: {
    '--mantine-color-body': '#ffffff',
    '--mantine-color-text': '#161b22',
    '--mantine-color-dimmed': '#55616e',
    '--mantine-color-default-border': '#c9d1da',
    '--mantine-color-error': '#b3261e',
  },
})
