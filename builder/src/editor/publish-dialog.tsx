import { useState } from 'react'
import { ApiError } from '../api/client'
import type { Published } from '../api/types'
import { useSession } from '../session'
import { Dialog } from '../ui/dialog'
import { TextField } from '../ui/field'
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
      {warnings.length > 0 && (
        <ul className="issue-list">
          {warnings.map((issue) => (
            <li key={`${issue.code} ${issue.path}`}>
              <span className="tag warning">Warning</span> {issue.path && <code>{issue.path}</code>}{' '}
              {issue.message}
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
