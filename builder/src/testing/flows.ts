/** Every flow of the repository: the examples and the golden ones of the engine's tests. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Flow } from '../flow/document'

const ROOT = join(import.meta.dirname, '..', '..', '..')

export const FLOWS: [string, Flow][] = ['examples/flows', 'tests/golden/flows'].flatMap((folder) =>
  readdirSync(join(ROOT, folder)).map((file): [string, Flow] => [
    `${folder}/${file}`,
    JSON.parse(readFileSync(join(ROOT, folder, file), 'utf8')) as Flow,
  ]),
)

export function flow(name: string): Flow {
  const found = FLOWS.find(([path]) => path.endsWith(`/${name}.json`))
  if (!found) throw new Error(`there is no flow ${name}`)
  return structuredClone(found[1])
}
