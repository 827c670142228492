import type { BranchNode, Case } from '../flow/document'
import { issuesAt } from '../flow/issues'
import { Field, SelectField, TextField } from '../ui/field'
import type { CardEditorProps } from './card-panel'
import { NextSelect } from './next-select'

const OPS = [
  ['eq', 'is'],
  ['ne', 'is not'],
  ['lt', 'is less than'],
  ['le', 'is at most'],
  ['gt', 'is more than'],
  ['ge', 'is at least'],
  ['contains', 'contains'],
  ['in', 'is one of'],
  ['exists', 'is there'],
] as const

export function BranchEditor({ name, node, issues, change, targets }: CardEditorProps<BranchNode>) {
  const { cases } = node
  const known = [...Object.keys(targets.flow.variables ?? {})]
  return (
    <>
      <fieldset className="group">
        <legend>Cases, the first that holds</legend>
        {cases.map((one, i) => (
          <div className="item" key={i}>
            <CaseFields
              position={i}
              one={one}
              known={known}
              said={
                issuesAt(issues, name, `cases.${i}`).find((issue) => issue.severity === 'error')
                  ?.message
              }
              change={(changed, about) =>
                change(
                  { ...node, cases: cases.map((old, j) => (j === i ? changed : old)) },
                  about && `case ${i} ${about}`,
                )
              }
            />
            <NextSelect label="Then" handle={`case:${i}`} targets={targets} />
            <div className="row">
              <button
                type="button"
                className="quiet"
                disabled={cases.length === 1}
                onClick={() => change({ ...node, cases: cases.filter((_, j) => j !== i) })}
              >
                Remove case {i + 1}
              </button>
            </div>
          </div>
        ))}
        <button
          type="button"
          onClick={() =>
            change({
              ...node,
              cases: [...cases, { variable: known[0] ?? 'name', op: 'eq', value: '' }],
            })
          }
        >
          Add a case
        </button>
      </fieldset>
      <NextSelect label="Otherwise" handle="otherwise" targets={targets} />
    </>
  )
}

function CaseFields({
  position,
  one,
  known,
  said,
  change,
}: {
  position: number
  one: Case
  known: string[]
  said: string | undefined
  change: (one: Case, about?: string) => void
}) {
  const list = `variables-of-case-${position}`
  return (
    <>
      <Field label={`Case ${position + 1}: variable`} problem={said}>
        {(field) => (
          <>
            <input
              {...field}
              type="text"
              list={list}
              value={one.variable}
              onChange={(event) => change({ ...one, variable: event.target.value }, 'variable')}
            />
            <datalist id={list}>
              {known.map((name) => (
                <option key={name} value={name} />
              ))}
            </datalist>
          </>
        )}
      </Field>
      <SelectField
        label="Comparison"
        value={one.op}
        options={OPS}
        onChange={(op) => change({ ...one, op, value: valueFor(op, one.value) })}
      />
      {one.op === 'exists' ? (
        <SelectField
          label="Answer"
          value={one.value === false ? 'no' : 'yes'}
          options={[
            ['yes', 'yes'],
            ['no', 'no'],
          ]}
          onChange={(answer) => change({ ...one, value: answer === 'yes' })}
        />
      ) : (
        <TextField
          label={one.op === 'in' ? 'Values, separated by commas' : 'Value'}
          value={Array.isArray(one.value) ? one.value.join(', ') : String(one.value)}
          hint={one.op === 'eq' || one.op === 'ne' ? 'Numbers are compared as numbers.' : undefined}
          onChange={(text) => change({ ...one, value: valueFor(one.op, text) }, 'value')}
        />
      )}
    </>
  )
}

/** `in` takes a list, `exists` a boolean, everything else one value. */
function valueFor(op: Case['op'], value: Case['value']): Case['value'] {
  if (op === 'exists') return value !== false
  if (op === 'in') {
    return Array.isArray(value) ? value : String(value).split(/,\s*/)
  }
  return Array.isArray(value)
    ? value.join(', ')
    : typeof value === 'boolean'
      ? String(value)
      : value
}
