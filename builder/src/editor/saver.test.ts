import { describe, expect, it } from 'vitest'
import { ApiError } from '../api/client'
import type { Draft } from '../api/types'
import type { Flow } from '../flow/document'
import { flow } from '../testing/flows'
import { Saver, type Saving } from './saver'

const PAUSES = { afterChange: 5, unreachable: 5 }

/** A server that keeps one draft and checks revisions, as the API does. */
class Server {
  flow: Flow = flow('documented')
  revision = 1
  calls = 0
  fails: ApiError[] = []

  put = async (given: Flow, revision: number): Promise<Draft> => {
    this.calls += 1
    await new Promise((resolve) => setTimeout(resolve, 5))
    const failure = this.fails.shift()
    if (failure) throw failure
    if (revision !== this.revision) {
      throw new ApiError(409, 'somebody saved', 'CONFLICT', { revision: this.revision })
    }
    this.flow = given
    this.revision += 1
    return { flow: given, revision: this.revision, issues: [] }
  }
}

function start(server = new Server()) {
  const told: Saving[] = []
  const saver = new Saver(server.put, server.flow, server.revision, [], (s) => told.push(s), PAUSES)
  return { server, saver, told, states: () => told.map((one) => one.state) }
}

function changed(start: string): Flow {
  return { ...flow('documented'), start }
}

describe('saving', () => {
  it('saves the last of several quick changes once', async () => {
    const { server, saver } = start()
    saver.change(changed('wait'))
    saver.change(changed('offer'))
    expect(await saver.flush()).toBe(true)
    expect(server).toMatchObject({ calls: 1, flow: { start: 'offer' } })
  })

  it('saves by itself a moment after a change', async () => {
    const { server, saver } = start()
    saver.change(changed('wait'))
    await expect.poll(() => server.flow.start).toBe('wait')
  })

  it('saves again what changed while a save was under way', async () => {
    const { server, saver, told } = start()
    saver.change(changed('wait'))
    const first = saver.flush()
    saver.change(changed('offer'))
    expect(await first).toBe(true)
    expect(server).toMatchObject({ calls: 2, flow: { start: 'offer' } })
    expect(told.at(-1)).toEqual({ state: 'saved' })
  })

  it('answers a second caller only when the newest change is stored', async () => {
    const { server, saver } = start()
    saver.change(changed('wait'))
    const first = saver.flush()
    saver.change(changed('offer'))
    expect(await Promise.all([first, saver.flush()])).toEqual([true, true])
    expect(server.flow.start).toBe('offer')
  })

  it('never saves over the draft of another tab', async () => {
    const { server, saver, told } = start()
    server.revision = 7
    saver.change(changed('wait'))
    expect(await saver.flush()).toBe(false)
    expect(told.at(-1)).toEqual({ state: 'conflict', revision: 7 })
    saver.change(changed('offer'))
    expect(await saver.flush()).toBe(false)
    expect(server).toMatchObject({ calls: 1, flow: { start: 'welcome' } })
  })

  it('replaces the other draft when told so', async () => {
    const { server, saver, told } = start()
    server.revision = 7
    saver.change(changed('wait'))
    await saver.flush()
    await saver.keepMine()
    expect(server).toMatchObject({ revision: 8, flow: { start: 'wait' } })
    expect(told.at(-1)).toEqual({ state: 'saved' })
  })

  it('is saved again when a change was taken back before it was saved', async () => {
    const { server, saver, told } = start()
    saver.change(changed('wait'))
    saver.change(server.flow)
    expect(told.at(-1)).toEqual({ state: 'saved' })
    expect(await saver.flush()).toBe(true)
    expect(server.calls).toBe(0)
  })

  it('tries again when the server cannot be reached', async () => {
    const { server, saver, states } = start()
    server.fails.push(new ApiError(0, 'away', 'UNREACHABLE', {}))
    saver.change(changed('wait'))
    expect(await saver.flush()).toBe(false)
    expect(states()).toContain('unreachable')
    await expect.poll(() => server.flow.start).toBe('wait')
  })

  it('waits for another change after a flow of the wrong shape', async () => {
    const { server, saver, told } = start()
    server.fails.push(new ApiError(400, 'check it', 'BAD_REQUEST', { issues: [] }))
    saver.change(changed('wait'))
    expect(await saver.flush()).toBe(false)
    expect(told.at(-1)).toEqual({ state: 'refused', said: 'check it' })
    expect(server.calls).toBe(1)
    saver.change(changed('offer'))
    expect(await saver.flush()).toBe(true)
  })
})
