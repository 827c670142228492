import type { MessageNode } from '../flow/document'
import { type Template, withTemplate } from '../flow/registry'
import { Field } from '../ui/field'
import { useRegistry, useTemplate } from './templates'

/** Choose among WhatsApp's templates; the message gets its text, parameters and buttons. */
export function TemplatePicker({
  node,
  choose,
}: {
  node: MessageNode
  choose: (node: MessageNode) => void
}) {
  const { all, said, reload } = useRegistry()
  const known = useTemplate(node)
  const position = known ? (all ?? []).indexOf(known) : -1
  const isOlder = known !== null && !sameText(node, known)

  return (
    <>
      <Field
        label="WhatsApp's template"
        hint={hintFor(known, all, said)}
        problem={known && known.status !== 'APPROVED' ? `It is ${inWords(known.status)}.` : null}
        aside={
          <button type="button" className="quiet" onClick={() => void reload()}>
            Read again
          </button>
        }
      >
        {(field) => (
          <select
            {...field}
            value={position}
            disabled={!all?.length}
            onChange={(event) => {
              const chosen = all?.[Number(event.target.value)]
              if (chosen) choose(withTemplate(node, chosen))
            }}
          >
            <option value={-1} disabled>
              {all?.length ? 'Choose one …' : all ? 'WhatsApp has none yet' : 'Reading …'}
            </option>
            {(all ?? []).map((one, i) => (
              <option key={`${one.name} ${one.language}`} value={i}>
                {one.name} · {one.language}
                {one.status === 'APPROVED' ? '' : ` (${inWords(one.status)})`}
              </option>
            ))}
          </select>
        )}
      </Field>
      {isOlder && (
        <div className="row">
          <span className="soft small">The card remembers another text than WhatsApp has.</span>
          <button type="button" onClick={() => choose(withTemplate(node, known))}>
            Take WhatsApp's
          </button>
        </div>
      )}
    </>
  )
}

function hintFor(known: Template | null, all: Template[] | null, said: string | null): string {
  if (said) return said
  if (known) return `${known.category}, ${known.parameters.length} parameters in its text.`
  return all?.length ? 'Or name one below that WhatsApp does not list yet.' : ''
}

function inWords(status: string): string {
  return status.toLowerCase().replaceAll('_', ' ')
}

function sameText(node: MessageNode, known: Template): boolean {
  return (
    node.message.type !== 'template' || !node.message.preview || node.message.preview === known.body
  )
}
