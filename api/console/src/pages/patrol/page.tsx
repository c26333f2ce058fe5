import { useParams } from 'react-router'
import { Report } from './report'
import { Round } from './round'
import { Start } from './start'

export default function PatrolPage() {
  const { id, report } = useParams()
  if (!id) return <Start />
  return report === 'report' ? <Report id={id} /> : <Round key={id} id={id} />
}
