import { useVersion } from '../campaigns/use-version'
import { Field } from '../ui/field'
import type { Column } from './imported'

const OTHERS = [
  ['sender', 'Sender'],
  ['scheduledAt', 'When it starts'],
  ['callbackData', 'Callback data'],
] as const

/** Which column is what: the customer's number, a variable of the flow, or nothing. */
export function Columns({
  columns,
  campaignId,
  campaignVersion,
  change,
}: {
  columns: Column[]
  campaignId: string
  campaignVersion: string
  /** Null where it is decided already. */
  change: ((columns: Column[]) => void) | null
}) {
  const { value: flow } = useVersion(campaignId, campaignVersion)
  const variables = Object.keys(flow?.variables ?? {})

  return (
    <fieldset className="columns" disabled={change === null}>
      <legend>Columns</legend>
      {columns.map((column, i) => (
        <Field key={column.name} label={column.name}>
          {(field) => (
            <select
              {...field}
              value={column.target ?? ''}
              onChange={(event) => {
                const target = event.target.value || null
                change?.(
                  columns.map((one, j) => {
                    if (j === i) return { ...one, target }
                    // A target is filled by one column.
                    return one.target === target ? { ...one, target: null } : one
                  }),
                )
              }}
            >
              <option value="">left out</option>
              <option value="client">Customer's number</option>
              <optgroup label="Variables of the flow">
                {options(variables, column).map((name) => (
                  <option key={name} value={`variables.${name}`}>
                    {name}
                  </option>
                ))}
              </optgroup>
              <optgroup label="Of the entry">
                {OTHERS.map(([target, said]) => (
                  <option key={target} value={target}>
                    {said}
                  </option>
                ))}
              </optgroup>
            </select>
          )}
        </Field>
      ))}
    </fieldset>
  )
}

/** The flow's variables, and what the column is taken for should that be none of them. */
function options(variables: string[], { target }: Column): string[] {
  const [kind, name] = target?.split(/\.(.*)/s) ?? []
  return kind === 'variables' && name && !variables.includes(name)
    ? [...variables, name]
    : variables
}
