import { type MouseEvent, useState } from 'react'
import { names } from '../flow/document'
import { to } from '../routes'
import { Notice } from '../ui/notice'
import { Tag } from '../ui/tag'
import { Version } from '../ui/version'
import type { PanelName } from './editor-page'
import { PublishDialog } from './publish-dialog'
import type { Saving } from './saver'
import type { DraftState } from './use-draft'

const SAYS: Record<Saving['state'], string> = {
  saved: 'Saved',
  saving: 'Saving …',
  unsaved: 'Not saved yet',
  refused: 'Not saved',
  unreachable: 'Not saved: trying again …',
  conflict: 'Not saved: changed elsewhere',
}

export function EditorBar({
  draft,
  canOperate,
  panel,
  open,
  arrange,
}: {
  draft: DraftState
  canOperate: boolean
  panel: PanelName | null
  open: (panel: PanelName | null) => void
  arrange: () => void
}) {
  const [publishing, setPublishing] = useState(false)
  const [published, setPublished] = useState<string | null>(null)
  const { campaign, flow, issues, saving } = draft
  const errors = issues.filter((issue) => issue.severity === 'error').length
  const isEmpty = names(flow).length === 0
  const isStuck = saving.state === 'refused' || saving.state === 'conflict'
  const blocked = errors > 0 || isEmpty || isStuck

  function leave(event: MouseEvent) {
    if (isStuck && !window.confirm('What you changed is not saved. Leave without it?')) {
      event.preventDefault()
    }
  }

  function tab(name: PanelName, label: string, className = '') {
    const isOpen = panel === name
    return (
      <button
        type="button"
        className={className}
        aria-pressed={isOpen}
        onClick={() => open(isOpen ? null : name)}
      >
        {label}
      </button>
    )
  }

  return (
    <header className="editor-bar">
      <div className="row">
        <a href={to.campaigns} onClick={leave} aria-label="All campaigns" className="back">
          ←
        </a>
        <span className="editor-name" title={campaign.campaignName}>
          {campaign.campaignName}
        </span>
        <Tag state={campaign.state} />
        <span className="soft saving" role="status">
          {canOperate ? SAYS[isEmpty ? 'unsaved' : saving.state] : 'This key may only look'}
        </span>
        <a href={to.sendoutsOf(campaign.campaignId)} onClick={leave}>
          Sendouts
        </a>
        {campaign.state === 'published' && (
          <a href={to.importOf(campaign.campaignName)} onClick={leave}>
            Send from a CSV
          </a>
        )}
      </div>
      <div className="row tools">
        {canOperate && (
          <>
            <button type="button" disabled={!draft.canUndo} onClick={draft.undo} aria-label="Undo">
              ↶
            </button>
            <button type="button" disabled={!draft.canRedo} onClick={draft.redo} aria-label="Redo">
              ↷
            </button>
            <button type="button" disabled={isEmpty} onClick={arrange}>
              Arrange
            </button>
          </>
        )}
        {tab('variables', 'Variables')}
        {tab('settings', 'Sending')}
        {tab('issues', `Checks (${issues.length})`, errors ? 'has-errors' : '')}
        {tab('try', 'Try it')}
        {canOperate && tab('test', 'Send a test')}
        {canOperate && (
          <button
            type="button"
            className="primary"
            disabled={blocked}
            title={errors ? 'Publishing waits until no error is left' : undefined}
            onClick={() => setPublishing(true)}
          >
            Publish
          </button>
        )}
      </div>
      {saving.state === 'refused' && <Notice kind="error">Not saved. {saving.said}</Notice>}
      {saving.state === 'conflict' && (
        <Notice kind="warning">
          <div className="row">
            <span>Somebody saved this draft in another tab or with another key.</span>
            <button type="button" onClick={() => void draft.reload()}>
              Take theirs
            </button>
            <button type="button" onClick={() => void draft.keepMine()}>
              Keep mine
            </button>
          </div>
        </Notice>
      )}
      {published !== null && (
        <Notice kind="good">
          <div className="row">
            <span>
              Published as version{' '}
              <b>
                <Version of={published} />
              </b>
              .
            </span>
            <button type="button" className="quiet" onClick={() => setPublished(null)}>
              Fine
            </button>
          </div>
        </Notice>
      )}
      {publishing && (
        <PublishDialog draft={draft} close={() => setPublishing(false)} done={setPublished} />
      )}
    </header>
  )
}
