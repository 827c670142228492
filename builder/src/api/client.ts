/** Calls of the API with one key. */
import type { Issue, Me } from './types'

/** An answer that is no success, in the API's own words. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly code: string,
    readonly details: Record<string, unknown>,
  ) {
    super(message)
  }

  /** What is wrong with a flow that was refused. */
  get issues(): Issue[] {
    return Array.isArray(this.details.issues) ? (this.details.issues as Issue[]) : []
  }
}

/** What went wrong, for people. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

interface Request {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** JSON, or a file as it is. */
  body?: unknown
  accept?: string
  /** Repeats with the same one are answered alike, and done once. */
  idempotencyKey?: string
  signal?: AbortSignal
}

export class Api {
  constructor(
    private readonly key: string,
    private readonly businessId: string,
    /** Called when the server no longer takes the key. */
    private readonly refused: () => void,
  ) {}

  /** A JSON answer of the business's part of the API. Throws `ApiError`. */
  async call<T>(path: string, request: Request = {}): Promise<T> {
    return (await this.fetch(path, request)).json() as Promise<T>
  }

  /** A file of the business's part of the API. Throws `ApiError`. */
  async file(path: string, accept?: string): Promise<Blob> {
    return (await this.fetch(path, { accept })).blob()
  }

  private async fetch(path: string, request: Request): Promise<Response> {
    try {
      return await send(`businesses/${this.businessId}/${path}`, this.key, request)
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.refused()
      throw error
    }
  }
}

/** Whose key this is. Throws `ApiError`. */
export async function whoIs(key: string): Promise<Me> {
  return (await send('me', key, {})).json() as Promise<Me>
}

/** Where the Temporal Web UI shows runs, up to the run's name. */
export async function temporalAddress(key: string): Promise<string> {
  const answer = await fetch(new URL('settings.json', document.baseURI), {
    headers: { 'X-API-Key': key },
  })
  if (!answer.ok) throw await failure(answer)
  return ((await answer.json()) as { workflows: string }).workflows
}

async function send(path: string, key: string, request: Request): Promise<Response> {
  const headers: Record<string, string> = { 'X-API-Key': key }
  const { body, accept, idempotencyKey } = request
  if (body instanceof Blob) headers['Content-Type'] = body.type || 'text/csv'
  else if (body !== undefined) headers['Content-Type'] = 'application/json'
  if (accept) headers.Accept = accept
  if (idempotencyKey) headers['Idempotency-Key'] = idempotencyKey
  let answer: Response
  try {
    answer = await fetch(new URL(`../v1/${path}`, document.baseURI), {
      method: request.method ?? 'GET',
      headers,
      body: body === undefined || body instanceof Blob ? body : JSON.stringify(body),
      signal: request.signal,
    })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(0, 'The server cannot be reached.', 'UNREACHABLE', {})
  }
  if (!answer.ok) throw await failure(answer)
  return answer
}

/** Errors are flat objects, or hold that object as their first detail (api.md section 1). */
async function failure(answer: Response): Promise<ApiError> {
  const body = (await answer.json().catch(() => ({}))) as Record<string, unknown>
  const flat = (
    Array.isArray(body.details) ? { ...(body.details[0] as object), message: body.message } : body
  ) as { message?: string; code?: string; details?: Record<string, unknown> }
  const message = flat.message ?? `The server answered ${answer.status}.`
  return new ApiError(answer.status, message, flat.code ?? '', flat.details ?? {})
}
