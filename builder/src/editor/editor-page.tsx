import { ReactFlowProvider, useReactFlow } from '@xyflow/react'
import { useCallback, useMemo, useRef, useState } from 'react'
import { type NodeType, names, type Position } from '../flow/document'
import { addCard, moveCards, newNode } from '../flow/edits'
import { arranged, placesOf, type Size } from '../flow/layout'
import { addAfter, addBelow, addInto, addNear, type Make, placed } from '../flow/placing'
import { to } from '../routes'
import { useSession } from '../session'
import { CardMenu } from '../ui/menu'
import { Notice } from '../ui/notice'
import { Canvas, type Spot } from './canvas'
import type { Mark } from './card'
import { CardPanel } from './card-panel'
import { EditorBar } from './editor-bar'
import { IssuesPanel } from './issues-panel'
import { useClipboard, useEnterKey, useUndoKeys } from './keys'
import { Palette } from './palette'
import { SettingsPanel } from './settings-panel'
import { TemplatesKnown } from './templates'
import { TestPanel } from './test-panel'
import { TryPanel } from './try-panel'
import { type DraftState, useDraft } from './use-draft'
import { useExamples } from './use-examples'
import { VariablesPanel } from './variables-panel'

export type PanelName = 'card' | 'variables' | 'settings' | 'issues' | 'try' | 'test'

export function EditorPage({ campaignId }: { campaignId: string }) {
  return (
    <ReactFlowProvider>
      <TemplatesKnown>
        <Editor campaignId={campaignId} />
      </TemplatesKnown>
    </ReactFlowProvider>
  )
}

function Editor({ campaignId }: { campaignId: string }) {
  const { api, canOperate } = useSession()
  const { draft, said } = useDraft(api, campaignId, canOperate)
  if (!draft) {
    return (
      <main className="page">
        {said ? (
          <Notice kind="error">{said}</Notice>
        ) : (
          <p className="soft">Reading the campaign …</p>
        )}
        <a href={to.campaigns}>All campaigns</a>
      </main>
    )
  }
  return <Workbench draft={draft} canOperate={canOperate} />
}

function Workbench({ draft, canOperate }: { draft: DraftState; canOperate: boolean }) {
  const { flow, issues, edit } = draft
  const [selected, setSelected] = useState<string[]>([])
  const [panel, setPanel] = useState<PanelName | null>(null)
  const [spot, setSpot] = useState<Spot | null>(null)
  const [added, setAdded] = useState<string | null>(null)
  const [marks, setMarks] = useState<Map<string, Mark> | undefined>(undefined)
  const [examples, setExample] = useExamples(draft.campaign.campaignId)
  const { fitView, setCenter, screenToFlowPosition } = useReactFlow()
  const sizes = useRef<Record<string, Size>>({})
  const frame = useRef<HTMLDivElement>(null)
  const [only] = selected
  const card = selected.length === 1 && only !== undefined && only in flow.nodes ? only : null

  const select = useCallback((chosen: string[]) => {
    setSelected(chosen)
    setPanel((open) => (chosen.length === 1 ? 'card' : open === 'card' ? null : open))
  }, [])

  const show = useCallback(
    (name: string) => {
      const place = placesOf(flow)[name]
      const size = sizes.current[name]
      if (place && size) {
        const zoom = { zoom: 1, duration: 200 }
        void setCenter(place.x + size.width / 2, place.y + size.height / 2, zoom)
      }
      select([name])
    },
    [flow, select, setCenter],
  )

  /** Add a card and open it; `make` says into which flow and how. */
  const add = useCallback(
    (make: Make) => {
      const [, name] = make(flow)
      edit((f) => make(placed(f))[0])
      select([name])
      setAdded(name)
    },
    [flow, edit, select],
  )

  function addFromPalette(type: NodeType) {
    if (card !== null) {
      const height = sizes.current[card]?.height ?? 140
      add((f) => addBelow(f, card, type, height))
      return
    }
    const box = frame.current?.getBoundingClientRect() ?? new DOMRect()
    const middle = { x: box.left + box.width / 2 - 130, y: box.top + box.height / 3 }
    const place = screenToFlowPosition(middle)
    add((f) => addNear(f, type, place))
  }

  function addAt(type: NodeType) {
    if (!spot) return
    add((f) =>
      'link' in spot ? addInto(f, spot.link, type) : addAfter(f, spot.from, type, spot.place),
    )
  }

  const arrange = useCallback(() => {
    edit((f) => moveCards(f, arranged(f, sizes.current)))
    requestAnimationFrame(() => void fitView({ maxZoom: 1, padding: 0.15, duration: 200 }))
  }, [edit, fitView])

  const editing = useMemo(
    () =>
      canOperate
        ? {
            edit,
            ask: setSpot,
            drop: (type: NodeType, place: Position) => add((f) => addCard(f, newNode(type), place)),
            measured: (known: Record<string, Size>) => {
              sizes.current = known
            },
          }
        : undefined,
    [canOperate, edit, add],
  )
  const closeMenu = useCallback(() => setSpot(null), [])
  useUndoKeys(draft)
  useEnterKey(frame)
  useClipboard(frame, flow, selected, canOperate ? edit : null, select)

  const close = () => {
    setPanel(null)
    setMarks(undefined)
    setSelected([])
  }
  const shownPanel = panel === 'card' && card === null ? null : panel
  return (
    <div className="editor">
      <EditorBar
        draft={draft}
        canOperate={canOperate}
        panel={shownPanel}
        open={(name) => {
          setMarks(undefined)
          setPanel(name)
        }}
        arrange={arrange}
      />
      <main className="workbench">
        <title>{`${draft.campaign.campaignName} – Sendout`}</title>
        <h1 className="unseen">{draft.campaign.campaignName}</h1>
        {canOperate && <Palette add={addFromPalette} />}
        <div className="canvas" ref={frame}>
          <Canvas
            flow={flow}
            label={`Flow of ${draft.campaign.campaignName}`}
            selected={selected}
            select={select}
            issues={issues}
            examples={examples}
            marks={marks}
            reveal={added}
            editing={editing}
          />
          {names(flow).length === 0 && (
            <p className="first-step">
              Add the first card: a <b>message</b> with an approved template.
            </p>
          )}
        </div>
        {shownPanel === 'card' && card !== null && (
          <CardPanel
            key={card}
            name={card}
            flow={flow}
            issues={issues}
            examples={examples}
            edit={canOperate ? edit : null}
            select={select}
            add={add}
            close={close}
          />
        )}
        {shownPanel === 'variables' && (
          <VariablesPanel
            flow={flow}
            edit={canOperate ? edit : null}
            examples={examples}
            setExample={setExample}
            close={close}
          />
        )}
        {shownPanel === 'settings' && (
          <SettingsPanel
            flow={flow}
            issues={issues}
            edit={canOperate ? edit : null}
            close={close}
          />
        )}
        {shownPanel === 'issues' && (
          <IssuesPanel flow={flow} issues={issues} show={show} close={close} />
        )}
        {shownPanel === 'try' && (
          <TryPanel
            campaign={draft.campaign}
            flow={flow}
            examples={examples}
            mark={setMarks}
            close={close}
          />
        )}
        {shownPanel === 'test' && (
          <TestPanel
            campaignId={draft.campaign.campaignId}
            flow={flow}
            examples={examples}
            flush={draft.flush}
            close={close}
          />
        )}
      </main>
      {spot && <CardMenu label="Card to add" at={spot.at} choose={addAt} close={closeMenu} />}
    </div>
  )
}
