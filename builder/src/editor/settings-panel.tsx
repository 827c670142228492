import type { Issue } from '../api/types'
import type { Flow, Window } from '../flow/document'
import { duration, partsOf } from '../flow/durations'
import { Field, TextField } from '../ui/field'
import { Panel } from './panel'
import type { Edit } from './use-draft'

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

/** When the flow may send, and how late. */
export function SettingsPanel({
  flow,
  issues,
  edit,
  close,
}: {
  flow: Flow
  issues: Issue[]
  edit: Edit | null
  close: () => void
}) {
  const said = (path: string) => issues.find((issue) => issue.path === path)?.message ?? null
  const { window } = flow
  const put = (changed: Window | null, about?: string) =>
    edit?.((f) => {
      const { window: _, ...rest } = f
      return changed === null ? rest : { ...rest, window: changed }
    }, about)
  const expires = flow.expireAfter != null

  return (
    <Panel title="Sending" close={close}>
      <fieldset disabled={edit === null} className="card-fields">
        <label className="check">
          <input
            type="checkbox"
            checked={window != null}
            onChange={(event) =>
              put(
                event.target.checked ? { timezone: 'recipient', from: '09:00', to: '20:00' } : null,
              )
            }
          />
          Only at certain hours
        </label>
        {window && (
          <>
            <p className="soft">
              First messages and messages after a delay wait for it; answers to taps and replies
              never wait.
            </p>
            <TextField
              label="Time zone"
              value={window.timezone}
              problem={said('window.timezone')}
              hint="Such as America/Sao_Paulo, or recipient for that of the customer's number."
              onChange={(timezone) => put({ ...window, timezone }, 'window.timezone')}
            />
            <div className="pair">
              <Clock
                label="From"
                value={window.from}
                onChange={(from) => put({ ...window, from })}
              />
              <Clock
                label="To"
                value={window.to}
                problem={said('window.to')}
                onChange={(to) => put({ ...window, to })}
              />
            </div>
            <fieldset className="group">
              <legend>Days</legend>
              <div className="row">
                {DAYS.map((day) => {
                  const days = window.days ?? [...DAYS]
                  return (
                    <label className="check" key={day}>
                      <input
                        type="checkbox"
                        checked={days.includes(day)}
                        disabled={days.length === 1 && days.includes(day)}
                        onChange={(event) =>
                          put({
                            ...window,
                            days: DAYS.filter((d) =>
                              d === day ? event.target.checked : days.includes(d),
                            ),
                          })
                        }
                      />
                      {day}
                    </label>
                  )
                })}
              </div>
            </fieldset>
          </>
        )}
        <label className="check">
          <input
            type="checkbox"
            checked={expires}
            onChange={(event) => {
              const wanted = event.target.checked
              edit?.(({ expireAfter: _, ...rest }) =>
                wanted ? { ...rest, expireAfter: 'PT12H' } : rest,
              )
            }}
          />
          Give up messages that are too late
        </label>
        {flow.expireAfter != null && (
          <Field label="Hours late" hint="Whatever kept the message: a window, a hold, an outage.">
            {(field) => (
              <input
                {...field}
                type="number"
                min="1"
                step="1"
                value={partsOf(flow.expireAfter ?? '').hours}
                onChange={(event) => {
                  const hours = Math.floor(event.target.valueAsNumber)
                  if (!(hours >= 1)) return
                  const expireAfter = duration({ hours, minutes: 0, seconds: 0 })
                  edit?.((f) => ({ ...f, expireAfter }), 'expireAfter')
                }}
              />
            )}
          </Field>
        )}
      </fieldset>
    </Panel>
  )
}

function Clock({
  label,
  value,
  problem,
  onChange,
}: {
  label: string
  value: string
  problem?: string | null
  onChange: (value: string) => void
}) {
  return (
    <Field label={label} problem={problem}>
      {(field) => (
        <input
          {...field}
          type="time"
          value={value}
          onChange={(event) => {
            if (event.target.value) onChange(event.target.value)
          }}
        />
      )}
    </Field>
  )
}
