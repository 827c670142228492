import type { Button, MessageNode, MessageType } from '../flow/document'
import { freeName } from '../flow/document'
import { issuesAt } from '../flow/issues'
import { LIMITS } from '../flow/limits'
import { nextPlace } from '../flow/registry'
import { TextField } from '../ui/field'
import type { CardEditorProps } from './card-panel'
import { NextSelect } from './next-select'

interface Kind {
  legend: string
  one: string
  most: number
  longest: number
}

function kindOf(type: MessageType): Kind {
  if (type === 'list') {
    return {
      legend: 'Rows',
      one: 'row',
      most: LIMITS.mostListRows,
      longest: LIMITS.longestRowTitle,
    }
  }
  if (type === 'buttons') {
    const { mostReplyButtons: most, longestReplyTitle: longest } = LIMITS
    return { legend: 'Reply buttons', one: 'button', most, longest }
  }
  const { mostTemplateButtons: most, longestQuickReply: longest } = LIMITS
  return { legend: 'Quick replies', one: 'button', most, longest }
}

/** Quick replies, reply buttons or list rows: what a customer can tap, and where a tap leads. */
export function ButtonsEditor({
  name,
  node,
  issues,
  change,
  targets,
}: CardEditorProps<MessageNode>) {
  const kind = kindOf(node.message.type)
  const buttons = node.buttons ?? []
  const put = (changed: Button[], about: string) => change({ ...node, buttons: changed }, about)
  const said = issuesAt(issues, name, 'buttons').find((issue) => issue.path.endsWith('.buttons'))

  function add() {
    const id = freeName(
      `button_${buttons.length + 1}`,
      buttons.map((button) => button.id),
    )
    // Among buttons of other kinds the place is told; else the order says it.
    const place = nextPlace(node)
    const told = place > buttons.length ? { index: place } : {}
    put([...buttons, { id, label: '', ...told }], 'buttons')
  }

  return (
    <fieldset className="group">
      <legend>
        {kind.legend} ({buttons.length} of {kind.most})
      </legend>
      {said && <p className="problem">{said.message}</p>}
      {buttons.map((button, i) => (
        <ButtonFields
          key={button.id}
          {...{ button, kind }}
          isRow={node.message.type === 'list'}
          said={(field) => {
            const [first] = issuesAt(issues, name, `buttons.${i}.${field}`)
            return first?.severity === 'error' ? first.message : null
          }}
          change={(changed, about) =>
            put(
              buttons.map((one, j) => (j === i ? changed : one)),
              `${button.id} ${about}`,
            )
          }
          move={
            i === 0
              ? null
              : () =>
                  put(
                    [
                      ...buttons.slice(0, i - 1),
                      button,
                      ...buttons.slice(i - 1).filter((b) => b !== button),
                    ],
                    'buttons',
                  )
          }
          remove={() =>
            put(
              buttons.filter((one) => one !== button),
              'buttons',
            )
          }
        >
          <NextSelect label="A tap leads to" handle={`button:${button.id}`} targets={targets} />
        </ButtonFields>
      ))}
      <button type="button" disabled={buttons.length >= kind.most} onClick={add}>
        Add a {kind.one}
      </button>
    </fieldset>
  )
}

function ButtonFields({
  button,
  kind,
  isRow,
  said,
  change,
  move,
  remove,
  children,
}: {
  button: Button
  kind: Kind
  isRow: boolean
  said: (field: string) => string | null
  change: (button: Button, about: string) => void
  /** One place up; null for the first. */
  move: (() => void) | null
  remove: () => void
  children: React.ReactNode
}) {
  function text(field: 'description' | 'section', value: string) {
    const { [field]: _, ...rest } = button
    change(value === '' ? rest : { ...rest, [field]: value }, field)
  }

  return (
    <div className="item">
      <div className="with-button">
        <TextField
          label={isRow ? 'Title' : 'Label'}
          value={button.label}
          most={kind.longest}
          fills
          problem={said('label') ?? said('id')}
          onChange={(label) => change({ ...button, label }, 'label')}
        />
        <button
          type="button"
          className="quiet"
          aria-label={`Move ${button.label || button.id} up`}
          disabled={move === null}
          onClick={move ?? undefined}
        >
          ↑
        </button>
        <button
          type="button"
          className="quiet"
          aria-label={`Remove ${button.label || button.id}`}
          onClick={remove}
        >
          ✕
        </button>
      </div>
      {isRow && (
        <>
          <TextField
            label="Description (optional)"
            value={button.description ?? ''}
            most={LIMITS.longestRowDescription}
            fills
            problem={said('description')}
            onChange={(value) => text('description', value)}
          />
          <TextField
            label="Section (optional)"
            value={button.section ?? ''}
            most={LIMITS.longestSectionTitle}
            problem={said('section')}
            onChange={(value) => text('section', value)}
          />
        </>
      )}
      {children}
      <label className="check">
        <input
          type="checkbox"
          checked={button.optOut ?? false}
          onChange={(event) => {
            const { optOut: _, ...rest } = button
            change(event.target.checked ? { ...rest, optOut: true } : rest, 'optOut')
          }}
        />
        A tap stops marketing to this customer
      </label>
    </div>
  )
}
