import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { onBuiltPackage, plainJavaScript } from '../../benchmarks/harness/plain-javascript.ts'

describe('the benchmark as plain JavaScript', () => {
  test('imports and URLs name JavaScript, and the library is the built one', () => {
    const code = onBuiltPackage(
      `import { openMillrace } from '../../src/index.ts'\nimport { a } from './a.ts'\nnew URL('./b.ts', import.meta.url)\nimport x from 'rxjs'`,
    )
    expect(code).toContain("/dist/index.js'")
    expect(code).toContain("from './a.js'")
    expect(code).toContain("new URL('./b.js'")
    expect(code).toContain("from 'rxjs'")
    expect(code).not.toContain('.ts')
  })

  test('has no types left and goes when it is removed', () => {
    const plain = plainJavaScript(['harness', 'soak'])
    const written = readFileSync(plain.url('soak/soak-road.js'), 'utf8')
    expect(written).toContain("from '../road/road.js'")
    expect(written).not.toContain('interface')
    plain.remove()
    expect(() => readFileSync(plain.url('soak/soak-road.js'))).toThrow('ENOENT')
  })
})
