import { useState } from 'react'
import { askedVariables, type Flow, type Variable } from '../flow/document'
import { type Values, variablesIn } from '../flow/rendering'
import { Field, TextField } from '../ui/field'
import { Panel } from './panel'
import type { Edit } from './use-draft'

/** What requests have to bring along, with examples for previews and trials. */
export function VariablesPanel({
  flow,
  edit,
  examples,
  setExample,
  close,
}: {
  flow: Flow
  edit: Edit | null
  examples: Values
  setExample: (name: string, value: string) => void
  close: () => void
}) {
  const variables = flow.variables ?? {}
  const asked = [...new Set(askedVariables(flow))]
  const missing = undeclared(flow)

  function put(name: string, variable: Variable, about?: string) {
    edit?.((f) => ({ ...f, variables: { ...f.variables, [name]: variable } }), about)
  }

  return (
    <Panel title="Variables" close={close}>
      <p className="soft">
        Write <code>{'{{name}}'}</code> in texts, parameters and links. Each entry of a request
        brings its own values.
      </p>
      {Object.entries(variables).map(([name, variable]) => (
        <fieldset className="item" key={name}>
          <legend>
            <code>{name}</code>
          </legend>
          <VariableFields
            variable={variable}
            disabled={edit === null}
            change={(changed) => put(name, changed, `variable ${name}`)}
          />
          <TextField
            label="Example"
            value={examples[name] ?? ''}
            hint="For previews and trials, in this browser only."
            onChange={(value) => setExample(name, value)}
          />
          {edit && (
            <div className="row">
              <button
                type="button"
                className="quiet"
                aria-label={`Remove variable ${name}`}
                onClick={() => edit((f) => ({ ...f, variables: without(f.variables, name) }))}
              >
                Remove
              </button>
            </div>
          )}
        </fieldset>
      ))}
      {missing.length > 0 && (
        <div className="item">
          <h3>Used and not declared</h3>
          {missing.map((name) => (
            <div className="row" key={name}>
              <code>{name}</code>
              {edit && (
                <button type="button" onClick={() => put(name, { required: true })}>
                  Declare {name}
                </button>
              )}
            </div>
          ))}
        </div>
      )}
      {asked.length > 0 && (
        <p className="soft">
          Filled by asks, nothing to declare: {asked.map((name) => `{{${name}}}`).join(', ')}
        </p>
      )}
      {edit && (
        <NewVariable taken={Object.keys(variables)} add={(name) => put(name, { required: true })} />
      )}
    </Panel>
  )
}

function VariableFields({
  variable,
  disabled,
  change,
}: {
  variable: Variable
  disabled: boolean
  change: (variable: Variable) => void
}) {
  const hasDefault = variable.default != null
  const { default: value, ...rest } = variable
  return (
    <fieldset disabled={disabled} className="card-fields">
      <label className="check">
        <input
          type="checkbox"
          checked={!hasDefault}
          onChange={(event) =>
            change(
              event.target.checked ? { required: true } : { ...rest, required: false, default: '' },
            )
          }
        />
        Every entry must bring it
      </label>
      {hasDefault && (
        <TextField
          label="Otherwise it is"
          value={String(value)}
          onChange={(text) => change({ ...variable, default: text })}
        />
      )}
    </fieldset>
  )
}

function NewVariable({ taken, add }: { taken: string[]; add: (name: string) => void }) {
  const [name, setName] = useState('')
  const wanted = name.trim()
  const problem = taken.includes(wanted)
    ? 'It is declared already.'
    : /[{}]/.test(wanted)
      ? 'Without braces.'
      : null
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (!wanted || problem) return
        add(wanted)
        setName('')
      }}
      className="with-button"
    >
      <Field label="New variable" problem={problem}>
        {(field) => (
          <input
            {...field}
            type="text"
            maxLength={200}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      <button type="submit" disabled={!wanted || problem !== null}>
        Declare
      </button>
    </form>
  )
}

/** Variables in texts and branches that nothing declares or fills. */
function undeclared(flow: Flow): string[] {
  const known = new Set([...Object.keys(flow.variables ?? {}), ...askedVariables(flow)])
  const used = new Set<string>()
  for (const node of Object.values(flow.nodes)) {
    if (node.type === 'branch') for (const one of node.cases) used.add(one.variable)
    // The places of a template's own text are its parameters.
    const texts = node.type === 'message' ? { ...node.message, preview: null } : null
    const labels = node.type === 'message' ? node.buttons : null
    for (const name of variablesIn(JSON.stringify([texts, labels]))) used.add(name)
  }
  return [...used].filter((name) => !known.has(name))
}

function without<T>(values: Record<string, T> | undefined, name: string): Record<string, T> {
  return Object.fromEntries(Object.entries(values ?? {}).filter(([key]) => key !== name))
}
