import { useState } from 'react'
import type { Issue } from '../api/types'
import { askedVariables, type Flow, type Node, names } from '../flow/document'
import { changeCard, copyCards, pasteCards, removeCards, renameCard } from '../flow/edits'
import { issuesByCard } from '../flow/issues'
import type { Make } from '../flow/placing'
import type { Values } from '../flow/rendering'
import { kindOf } from '../flow/words'
import { Field } from '../ui/field'
import { Insertable } from '../ui/insert'
import { BranchEditor } from './branch-editor'
import { CardIssues } from './issues-panel'
import { MessageEditor } from './message-editor'
import { NextSelect, type Targets } from './next-select'
import { Panel } from './panel'
import { AskEditor, DelayEditor, SplitEditor } from './small-editors'
import type { Edit } from './use-draft'

export interface CardEditorProps<T extends Node> {
  name: string
  node: T
  issues: Issue[]
  /** Changes of the same `about` are undone together. */
  change: (node: T, about?: string) => void
  targets: Targets
}

/** One card: its name, what it does, and where it leads. */
export function CardPanel({
  name,
  flow,
  issues,
  examples,
  edit,
  select,
  add,
  close,
}: {
  name: string
  flow: Flow
  issues: Issue[]
  examples: Values
  edit: Edit | null
  select: (names: string[]) => void
  add: (make: Make) => void
  close: () => void
}) {
  const node = flow.nodes[name]
  if (!node) return null
  const own = issuesByCard(flow, issues).get(name) ?? []
  const targets: Targets = { flow, name, edit, add }
  const change = (changed: Node, about?: string) =>
    edit?.((f) => changeCard(f, name, changed), about && `${name} ${about}`)

  return (
    <Panel title={kindOf(node)} close={close}>
      <CardIssues issues={own} card={name} />
      <fieldset disabled={edit === null} className="card-fields">
        <NameField
          name={name}
          flow={flow}
          rename={(other) => {
            edit?.((f) => renameCard(f, name, other))
            select([other])
          }}
        />
        {node.type === 'message' && (
          <Insertable.Provider value={insertable(flow)}>
            <MessageEditor {...{ name, node, issues: own, change, targets, examples }} />
          </Insertable.Provider>
        )}
        {node.type === 'delay' && <DelayEditor {...{ name, node, issues: own, change, targets }} />}
        {node.type === 'ask' && <AskEditor {...{ name, node, issues: own, change, targets }} />}
        {node.type === 'split' && <SplitEditor {...{ name, node, issues: own, change, targets }} />}
        {node.type === 'branch' && (
          <BranchEditor {...{ name, node, issues: own, change, targets }} />
        )}
        {(node.type === 'message' || node.type === 'delay') && (
          <NextSelect label="Then" handle="next" targets={targets} />
        )}
        <div className="row">
          {flow.start !== name && (
            <button type="button" onClick={() => edit?.((f) => ({ ...f, start: name }))}>
              Start here
            </button>
          )}
          <button
            type="button"
            onClick={() => {
              const copied = copyCards(flow, [name])
              add((f) => {
                const [pasted, [copy]] = pasteCards(f, copied, { x: 40, y: 40 })
                return [pasted, copy ?? name]
              })
            }}
          >
            Duplicate
          </button>
          <button
            type="button"
            className="danger"
            onClick={() => {
              edit?.((f) => removeCards(f, [name]))
              close()
            }}
          >
            Delete
          </button>
        </div>
      </fieldset>
    </Panel>
  )
}

/** What texts may name: declared variables, and those that asks fill. */
function insertable(flow: Flow): string[] {
  return [...new Set([...Object.keys(flow.variables ?? {}), ...askedVariables(flow)])]
}

function NameField({
  name,
  flow,
  rename,
}: {
  name: string
  flow: Flow
  rename: (other: string) => void
}) {
  const [typed, setTyped] = useState(name)
  const other = typed.trim()
  const taken = other !== name && names(flow).includes(other)
  const problem = taken ? 'Another card has this name.' : other ? null : 'A card needs a name.'

  function finish() {
    if (problem) setTyped(name)
    else if (other !== name) rename(other)
  }

  return (
    <Field label="Card name" hint="Reports and timelines show it." problem={problem}>
      {(field) => (
        <input
          {...field}
          type="text"
          maxLength={100}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          onBlur={finish}
          onKeyDown={(event) => {
            if (event.key === 'Enter') finish()
          }}
        />
      )}
    </Field>
  )
}
