import type { NodeType } from '../flow/document'
import { CARD_KINDS } from '../flow/words'
import { CardIcon } from '../ui/icon'
import { DRAGGED_TYPE } from './canvas'

const KINDS = Object.entries(CARD_KINDS) as [NodeType, string][]

/** The sidebar: cards to drag onto the canvas, or to add below the selected one. */
export function Palette({ add }: { add: (type: NodeType) => void }) {
  return (
    <div className="palette" role="toolbar" aria-label="Add a card">
      {KINDS.map(([type, label]) => (
        <button
          key={type}
          type="button"
          draggable
          title={`Add ${label.toLowerCase()}: click, or drag it onto the canvas`}
          onClick={() => add(type)}
          onDragStart={(event) => {
            event.dataTransfer.setData(DRAGGED_TYPE, type)
            event.dataTransfer.effectAllowed = 'copy'
          }}
        >
          <CardIcon type={type} />
          {label}
        </button>
      ))}
    </div>
  )
}
