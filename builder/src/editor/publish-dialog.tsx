import { useState } from 'react'
import { ApiError } from '../api/client'
import type { Published } from '../api/types'
import { useVersion } from '../campaigns/use-version'
import { type Change, changesBetween } from '../flow/changes'
import { useSession } from '../session'
import { Dialog } from '../ui/dialog'
import { TextField } from '../ui/field'
import { Notice } from '../ui/notice'
import { Reading } from '../ui/reading'
import { Tag } from '../ui/tag'
import { Version } from '../ui/version'
import { IssueText } from './issues-panel'
import type { DraftState } from './use-draft'

export function PublishDialog({
  draft,
  close,
  done,
}: {
  draft: DraftState
  close: () => void
  done: (version: string) => void
}) {
  const { api } = useSession()
  const [label, setLabel] = useState('')
  const warnings = draft.issues.filter((issue) => issue.severity === 'warning')

  async function submit() {
    if (!(await draft.flush()))
      throw new Error('The draft could not be saved, so it was not published.')
    const path = `campaigns/${draft.campaign.campaignId}/publish`
    try {
      const body = { campaignVersion: label.trim() }
      const made = await api.call<Published>(path, { method: 'POST', body })
      done(made.campaignVersion)
    } catch (error) {
      const found = error instanceof ApiError ? error.issues : []
      const errors = found.filter((issue) => issue.severity === 'error')
      if (errors.length === 0) throw error
      throw new Error(errors.map((issue) => `${issue.path}: ${issue.message}`).join('; '))
    }
    await draft.reload()
  }

  return (
    <Dialog title="Publish" action="Publish" submit={submit} close={close}>
      <p>
        This freezes the flow as a new version of <b>{draft.campaign.campaignName}</b>. From now on
        requests get it; whoever is on the way stays on the version they began with.
      </p>
      {draft.campaign.campaignVersion !== null && (
        <Changes draft={draft} version={draft.campaign.campaignVersion} />
      )}
      {warnings.length > 0 && (
        <ul className="issue-list">
          {warnings.map((issue) => (
            <li key={`${issue.code} ${issue.path}`}>
              <IssueText issue={issue} at={issue.path} />
            </li>
          ))}
        </ul>
      )}
      <TextField
        label="Version label (optional)"
        value={label}
        onChange={setLabel}
        hint="Without one the version gets an id."
      />
    </Dialog>
  )
}

/** What the draft has changed since the newest version. */
function Changes({ draft, version }: { draft: DraftState; version: string }) {
  const newest = useVersion(draft.campaign.campaignId, version)
  if (!newest.value) return <Reading of={newest} />
  const changes = changesBetween(newest.value, draft.flow)
  if (changes.length === 0) {
    return (
      <Notice>
        Nothing has changed since version <Version of={version} />.
      </Notice>
    )
  }
  return (
    <section aria-label="What changed">
      <h3>
        Changed since version <Version of={version} />
      </h3>
      <ul className="changes">
        {changes.map((change) => (
          <li key={`${change.kind} ${change.what}`}>
            <Tag state={change.kind} /> <b>{change.what}</b>{' '}
            <span className="soft">{whereOf(change)}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}

const MOST_SHOWN = 5

function whereOf({ where }: Change): string {
  const more = where.length - MOST_SHOWN
  return where.slice(0, MOST_SHOWN).join(', ') + (more > 0 ? ` and ${more} more` : '')
}
