import { SegmentedControl } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { Navigate, useNavigate, useParams } from 'react-router'
import { useRight } from '../../api/queries'
import { PageFrame } from '../../ui/panel'
import { Hotlist } from './hotlist'
import { Passes } from './passes'

export default function VehiclesPage() {
  const { t } = useTranslation()
  const { tab } = useParams()
  const navigate = useNavigate()
  const search = useRight('search_passes')
  if (tab !== 'passes' && tab !== 'hotlist')
    return <Navigate to={search ? '/vehicles/passes' : '/vehicles/hotlist'} replace />
  const tools = search ? (
    <SegmentedControl
      value={tab}
      onChange={value => void navigate(`/vehicles/${value}`)}
      data={[
        { value: 'passes', label: t('vehicles.passes') },
        { value: 'hotlist', label: t('vehicles.hotlist') },
      ]}
      data-testid="vehicles-tab"
    />
  ) : null
  return (
    <PageFrame title={t('vehicles.title')} tools={tools}>
      {tab === 'passes' && search ? <Passes /> : <Hotlist />}
    </PageFrame>
  )
}
