import { type ReactNode, useId, useRef } from 'react'
import { leastLength } from '../flow/limits'
import { InsertBar } from './insert'

interface FieldProps {
  id: string
  'aria-describedby'?: string
  'aria-invalid'?: boolean
}

/** A label, one control, and what is to be said about it. */
export function Field({
  label,
  hint,
  problem,
  aside,
  children,
}: {
  label: string
  hint?: ReactNode
  problem?: string | null
  /** Stands at the end of the label's line. */
  aside?: ReactNode
  children: (field: FieldProps) => ReactNode
}) {
  const id = useId()
  const about = hint || problem ? `${id}-about` : undefined
  return (
    <div className="field">
      <div className="field-head">
        <label htmlFor={id}>{label}</label>
        {aside}
      </div>
      {children({ id, 'aria-describedby': about, 'aria-invalid': problem ? true : undefined })}
      {(hint || problem) && (
        <div id={about} className="field-about">
          {problem && <p className="problem">{problem}</p>}
          {hint && <p>{hint}</p>}
        </div>
      )}
    </div>
  )
}

export function PhoneField({
  label,
  value,
  onChange,
  hint,
}: {
  label: string
  value: string
  onChange: (value: string) => void
  hint?: ReactNode
}) {
  return (
    <Field label={label} hint={hint}>
      {(field) => (
        <input
          {...field}
          type="tel"
          required
          placeholder="+16045552331"
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  )
}

/** A text with WhatsApp's limit on it, counted as the API counts. */
export function TextField({
  label,
  value,
  onChange,
  most,
  rows,
  hint,
  problem,
  placeholder,
  fills = false,
}: {
  label: string
  value: string
  onChange: (value: string) => void
  most?: number
  /** How many lines; one makes a single-line input. */
  rows?: number
  hint?: ReactNode
  problem?: string | null
  placeholder?: string
  /** Whether it may hold variables and emoji, and offers them. */
  fills?: boolean
}) {
  const control = useRef<HTMLInputElement & HTMLTextAreaElement>(null)
  const length = leastLength(value)
  const over = most !== undefined && length > most
  const said = problem ?? (over ? `${length - most} too many for WhatsApp` : null)
  const counter = most !== undefined && (
    <span className={over ? 'counter over' : 'counter'}>
      {length} / {most}
    </span>
  )
  return (
    <Field
      label={label}
      hint={joined(counter, hint)}
      problem={said}
      aside={fills && <InsertBar {...{ label, control, onChange }} />}
    >
      {(field) =>
        rows && rows > 1 ? (
          <textarea
            {...field}
            ref={control}
            rows={rows}
            value={value}
            placeholder={placeholder}
            onChange={(event) => onChange(event.target.value)}
          />
        ) : (
          <input
            {...field}
            ref={control}
            type="text"
            value={value}
            placeholder={placeholder}
            onChange={(event) => onChange(event.target.value)}
          />
        )
      }
    </Field>
  )
}

function joined(counter: ReactNode, hint: ReactNode): ReactNode {
  if (!counter) return hint
  return (
    <>
      {counter} {hint}
    </>
  )
}

export function SelectField<T extends string>({
  label,
  value,
  options,
  onChange,
  hint,
  problem,
}: {
  label: string
  value: T
  options: readonly (readonly [T, string])[]
  onChange: (value: T) => void
  hint?: ReactNode
  problem?: string | null
}) {
  return (
    <Field label={label} hint={hint} problem={problem}>
      {(field) => (
        <select {...field} value={value} onChange={(event) => onChange(event.target.value as T)}>
          {options.map(([option, said]) => (
            <option key={option} value={option}>
              {said}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}
