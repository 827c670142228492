import type { Issue } from '../api/types'
import type { Flow } from '../flow/document'
import { cardOf } from '../flow/issues'
import { Tag } from '../ui/tag'
import { Panel } from './panel'

/** Everything the checks found; each leads to its card. */
export function IssuesPanel({
  flow,
  issues,
  show,
  close,
}: {
  flow: Flow
  issues: Issue[]
  show: (card: string) => void
  close: () => void
}) {
  return (
    <Panel title="Checks" close={close}>
      {issues.length === 0 && <p>Nothing is wrong with this flow.</p>}
      <ul className="issue-list">
        {issues.map((issue) => (
          <IssueRow
            key={`${issue.code} ${issue.path}`}
            issue={issue}
            card={cardOf(flow, issue.path)}
            show={show}
          />
        ))}
      </ul>
    </Panel>
  )
}

function IssueRow({
  issue,
  card,
  show,
}: {
  issue: Issue
  card: string | null
  show: (card: string) => void
}) {
  const said = <IssueText issue={issue} at={issue.path.replace(/^nodes\./, '')} />
  return (
    <li>
      {card === null ? (
        said
      ) : (
        <button type="button" className="issue" onClick={() => show(card)}>
          {said}
        </button>
      )}
    </li>
  )
}

/** The issues of one card, at the head of its editor. */
export function CardIssues({ issues, card }: { issues: Issue[]; card: string }) {
  if (issues.length === 0) return null
  return (
    <ul className="issue-list" aria-label="Issues of this card">
      {issues.map((issue) => (
        <li key={`${issue.code} ${issue.path}`}>
          <IssueText issue={issue} at={issue.path.slice(`nodes.${card}.`.length)} />
        </li>
      ))}
    </ul>
  )
}

export function IssueText({ issue, at }: { issue: Issue; at: string }) {
  return (
    <>
      <Tag state={issue.severity} said={issue.severity === 'error' ? 'Error' : 'Warning'} />{' '}
      {at && <code>{at}</code>} {issue.message}
    </>
  )
}
