// Prints the trades of one topic: node trades.mjs TOPIC [ROWS]
import { read } from './bus.mjs'

const [topic, rows = '-1', ...more] = process.argv.slice(2)
if (!topic || more.length > 0) {
  console.error('node trades.mjs TOPIC [ROWS]')
  process.exit(2)
}

let left = Number(rows)
await read(topic, (text) => {
  const row = JSON.parse(text)
  if (row.type === 'trade') {
    // prices are texts: a number of JavaScript cannot hold them all
    console.log(`${row.exchange_time ?? '-'} ${row.side ?? '-'} ${row.amount} at ${row.price}`)
    left -= 1
  } else if (row.type === 'status') {
    console.log('---', row.state, row.reason || '-')
  }
  return left !== 0
})
