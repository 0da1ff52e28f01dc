// Control of C5: a process that polls every 5 ms, which the same measurement must show.

process.stdout.write(`${JSON.stringify({ ready: true })}\n`)
const timer = setInterval(() => {}, 5)
await new Promise((resolve) => process.stdin.once('end', resolve).resume())
clearInterval(timer)
