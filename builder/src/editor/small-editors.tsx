/** The cards that have a field or two: time delay, ask, split. */
import type { AskNode, DelayNode, SplitNode } from '../flow/document'
import { duration, LONGEST_DELAY, type Parts, partsOf, seconds } from '../flow/durations'
import { letter } from '../flow/graph'
import { issuesAt } from '../flow/issues'
import { CONDITIONS } from '../flow/words'
import { Field, SelectField, TextField } from '../ui/field'
import type { CardEditorProps } from './card-panel'
import { NextSelect } from './next-select'

export function DelayEditor({ name, node, issues, change }: CardEditorProps<DelayNode>) {
  return (
    <>
      <DurationFields
        label="Wait"
        value={node.duration}
        problem={issuesAt(issues, name, 'duration')[0]?.message}
        onChange={(changed) => change({ ...node, duration: changed }, 'duration')}
      />
      <SelectField
        label="Then go on if"
        value={node.condition}
        options={CONDITIONS}
        problem={issuesAt(issues, name, 'condition')[0]?.message}
        hint="It looks at the message sent last on this path, which must have been received."
        onChange={(condition) => change({ ...node, condition })}
      />
    </>
  )
}

export function AskEditor({ name, node, issues, change, targets }: CardEditorProps<AskNode>) {
  return (
    <>
      <TextField
        label="Keep the answer as variable"
        value={node.variable}
        problem={issuesAt(issues, name, 'variable')[0]?.message}
        onChange={(variable) => change({ ...node, variable }, 'variable')}
      />
      <DurationFields
        label="Wait for an answer"
        value={node.timeout}
        problem={issuesAt(issues, name, 'timeout')[0]?.message}
        onChange={(timeout) => change({ ...node, timeout }, 'timeout')}
      />
      <NextSelect label="After an answer" handle="next" targets={targets} />
      <NextSelect label="Without an answer" handle="on_timeout" targets={targets} />
    </>
  )
}

export function SplitEditor({ node, change, targets }: CardEditorProps<SplitNode>) {
  const { paths } = node
  return (
    <fieldset className="group">
      <legend>Paths</legend>
      {paths.map((path, i) => (
        <div className="item" key={i}>
          <div className="with-button">
            <Field label={`Weight of ${letter(i)}`}>
              {(field) => (
                <input
                  {...field}
                  type="number"
                  min="0"
                  step="any"
                  value={path.weight}
                  onChange={(event) => {
                    const weight = event.target.valueAsNumber
                    const changed = { ...path, weight: Number.isFinite(weight) ? weight : 0 }
                    change(
                      { ...node, paths: paths.map((one, j) => (j === i ? changed : one)) },
                      `weight ${i}`,
                    )
                  }}
                />
              )}
            </Field>
            <button
              type="button"
              className="quiet"
              aria-label={`Remove path ${letter(i)}`}
              disabled={paths.length === 1}
              onClick={() => change({ ...node, paths: paths.filter((_, j) => j !== i) })}
            >
              ✕
            </button>
          </div>
          <NextSelect label={`${letter(i)} leads to`} handle={`path:${i}`} targets={targets} />
        </div>
      ))}
      <button type="button" onClick={() => change({ ...node, paths: [...paths, { weight: 50 }] })}>
        Add a path
      </button>
    </fieldset>
  )
}

/** Hours and minutes (seconds where a flow has them), with the limit of 20 hours. */
function DurationFields({
  label,
  value,
  problem,
  onChange,
}: {
  label: string
  value: string
  problem?: string | undefined
  onChange: (duration: string) => void
}) {
  const parts = partsOf(value)
  const length = seconds(value) ?? 0
  const own =
    length > LONGEST_DELAY ? 'At most 20 hours.' : length === 0 ? 'Longer than nothing.' : null
  const units: (keyof Parts)[] = parts.seconds
    ? ['hours', 'minutes', 'seconds']
    : ['hours', 'minutes']

  return (
    <fieldset className="group">
      <legend>{label}</legend>
      <div className="pair">
        {units.map((unit) => (
          <Field
            key={unit}
            label={unit === 'hours' ? 'Hours' : unit === 'minutes' ? 'Minutes' : 'Seconds'}
          >
            {(field) => (
              <input
                {...field}
                type="number"
                min="0"
                step={unit === 'seconds' ? 'any' : 1}
                aria-invalid={own ? true : undefined}
                value={parts[unit]}
                onChange={(event) => {
                  const number = Math.min(Math.max(0, event.target.valueAsNumber || 0), 100_000)
                  const changed = unit === 'seconds' ? number : Math.floor(number)
                  onChange(duration({ ...parts, [unit]: changed }))
                }}
              />
            )}
          </Field>
        ))}
      </div>
      {own || problem ? (
        <p className="problem" role="alert">
          {own ?? problem}
        </p>
      ) : (
        <p className="soft small">At most 20 hours.</p>
      )}
    </fieldset>
  )
}
