import { type Flow, type NodeType, names } from '../flow/document'
import { connect, exitsOf } from '../flow/graph'
import { placesOf } from '../flow/layout'
import { addAfter, type Make } from '../flow/placing'
import { CARD_KINDS, kindOf } from '../flow/words'
import { Field } from '../ui/field'
import type { Edit } from './use-draft'

/** What it takes to choose where a way on leads. */
export interface Targets {
  flow: Flow
  name: string
  edit: Edit | null
  add: (make: Make) => void
}

const NEW = 'new:'

/** Where a way on leads, without a mouse: a card that is there, or a new one. */
export function NextSelect({
  label,
  handle,
  targets,
}: {
  label: string
  handle: string
  targets: Targets
}) {
  const { flow, name, edit, add } = targets
  const node = flow.nodes[name]
  const target = (node && exitsOf(node).find((exit) => exit.handle === handle)?.target) ?? ''

  function choose(value: string) {
    if (!value.startsWith(NEW)) {
      edit?.((f) => connect(f, name, handle, value.slice(1) || null))
      return
    }
    const type = value.slice(NEW.length) as NodeType
    add((f) => {
      const at = placesOf(f)[name] ?? { x: 0, y: 0 }
      const aside = handle === 'next' ? 0 : 340
      const place = { x: at.x + aside, y: at.y + 240 }
      return addAfter(f, { source: name, handle }, type, place)
    })
  }

  return (
    <Field label={label}>
      {(field) => (
        <select {...field} value={`=${target}`} onChange={(event) => choose(event.target.value)}>
          <option value="=">nothing: the path ends</option>
          <optgroup label="Cards">
            {names(flow).map((one) => (
              <option key={one} value={`=${one}`}>
                {one} ({kindOf(flow.nodes[one] as Flow['nodes'][string])})
              </option>
            ))}
          </optgroup>
          <optgroup label="New card">
            {Object.entries(CARD_KINDS).map(([type, said]) => (
              <option key={type} value={NEW + type}>
                + {said}
              </option>
            ))}
          </optgroup>
        </select>
      )}
    </Field>
  )
}
