// Control of C5: a Node.js process that only waits for its standard input to end.

process.stdout.write(`${JSON.stringify({ ready: true })}\n`)
await new Promise((resolve) => process.stdin.once('end', resolve).resume())
