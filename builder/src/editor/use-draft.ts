import { useCallback, useEffect, useRef, useState } from 'react'
import { type Api, wordsOf } from '../api/client'
import type { Campaign, Draft, Entity, Issue } from '../api/types'
import { emptyFlow, type Flow } from '../flow/document'
import { begin, change, type History, redo, undo } from '../flow/history'
import { Saver, type Saving } from './saver'

/** Changes a flow. Changes `about` the same thing are undone together. */
export type Edit = (how: (flow: Flow) => Flow, about?: string) => void

export interface DraftState {
  campaign: Campaign
  flow: Flow
  issues: Issue[]
  saving: Saving
  canUndo: boolean
  canRedo: boolean
  edit: Edit
  undo: () => void
  redo: () => void
  flush: () => Promise<boolean>
  keepMine: () => Promise<void>
  /** Read the campaign again, and its draft in place of what is on the page. */
  reload: () => Promise<void>
}

/** The draft of a campaign, saved as it is edited; null until it is read. */
export function useDraft(
  api: Api,
  campaignId: string,
  canEdit: boolean,
): { draft: DraftState | null; said: string | null } {
  const [campaign, setCampaign] = useState<Campaign | null>(null)
  const [history, setHistory] = useState<History<Flow>>(() => begin(emptyFlow()))
  const [issues, setIssues] = useState<Issue[]>([])
  const [saving, setSaving] = useState<Saving>({ state: 'saved' })
  const [said, setSaid] = useState<string | null>(null)
  const saver = useRef<Saver | null>(null)
  const path = `campaigns/${campaignId}`

  const reload = useCallback(async () => {
    try {
      const { entity } = await api.call<Entity<Campaign>>(path)
      const flow = (entity.draft.flow as Flow | null) ?? emptyFlow()
      saver.current?.stop()
      saver.current = new Saver(
        async (flow, revision) => {
          const body = { flow, revision }
          return (await api.call<Entity<Draft>>(`${path}/draft`, { method: 'PUT', body })).entity
        },
        flow,
        entity.draft.revision,
        entity.draft.issues,
        (saving, issues) => {
          setSaving(saving)
          if (issues) setIssues(issues)
        },
      )
      setCampaign(entity)
      setHistory(begin(flow))
      setIssues(entity.draft.issues)
      setSaving({ state: 'saved' })
      setSaid(null)
    } catch (error) {
      setSaid(wordsOf(error))
    }
  }, [api, path])

  useEffect(() => {
    void reload()
    return () => void saver.current?.flush()
  }, [reload])

  const flow = history.present
  useEffect(() => {
    // A flow needs a card; before there is one nothing is worth saving.
    if (canEdit && Object.keys(flow.nodes).length > 0) saver.current?.change(flow)
  }, [flow, canEdit])

  const unsaved = saving.state !== 'saved'
  useEffect(() => {
    if (!unsaved) return
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    window.addEventListener('beforeunload', ask)
    return () => window.removeEventListener('beforeunload', ask)
  }, [unsaved])

  const edit = useCallback<Edit>(
    (how, about) => {
      if (canEdit) setHistory((h) => change(h, how(h.present), about ?? null))
    },
    [canEdit],
  )

  if (!campaign) return { draft: null, said }
  const draft: DraftState = {
    campaign,
    flow,
    issues,
    saving,
    canUndo: history.past.length > 0,
    canRedo: history.future.length > 0,
    edit,
    undo: () => setHistory(undo),
    redo: () => setHistory(redo),
    flush: async () => (await saver.current?.flush()) ?? false,
    keepMine: async () => saver.current?.keepMine(),
    reload,
  }
  return { draft, said }
}
