const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** A version by its label; of the id that one without a label has, the part that tells when. */
export function Version({ of }: { of: string }) {
  return <span title={of}>{ID.test(of) ? of.slice(0, 13) : of}</span>
}
