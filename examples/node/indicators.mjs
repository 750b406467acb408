// Prints the indicators of one topic: node indicators.mjs TOPIC [ROWS]
// or the rows of files: node indicators.mjs --golden FILE...
import { readFileSync } from 'node:fs'

import { read } from './bus.mjs'

// Revision of each closed value by its key; never forgotten here: a topic keeps 30 days.
const revisions = new Map()

// Live values replace each other, the closed one replaces them, and a closed one with a higher
// revision that one: tells whether this value is not replaced yet.
function isNew(row) {
  const key = [row.exchange, row.symbol, row.input, row.interval, row.name, row.params, row.open_time]
    .join('|')
  const replaced = revisions.get(key) ?? -1
  if (row.closed && row.revision > replaced) {
    revisions.set(key, row.revision)
    return true
  }
  return !row.closed && replaced < 0
}

// Values are doubles, and JavaScript would hold them; as texts they keep the digits of the row.
function parse(text) {
  const quoted = (values) => values.replace(/:(-?\d[\d.]*(?:[eE][-+]?\d+)?)/g, ':"$1"')
  return JSON.parse(text.replace(/"values":\{[^}]*\}/, quoted))
}

function line(row) {
  return [
    new Date(row.open_time / 1000).toISOString().replace(/\.\d+/, ''),
    row.input,
    row.interval,
    row.params ? `${row.name}:${row.params}` : row.name,
    ...Object.entries(row.values).map(([name, value]) => `${name}=${value}`),
    row.closed ? 'closed' : 'live',
    `revision=${row.revision}`,
    `bars=${row.bars_seen}`,
    row.warm ? 'warm' : 'warming',
    ...(row.incomplete ? ['incomplete'] : []),
  ].join(' ')
}

// Prints a row; tells whether it was a value that is not out of date.
function show(text) {
  const row = parse(text)
  if (row.type === 'status') console.log('---', row.state, row.reason || '-')
  if (row.type !== 'indicator' || !isNew(row)) return false
  console.log(line(row))
  return true
}

const given = process.argv.slice(2)
if (given[0] === '--golden' && given.length > 1) {
  for (const file of given.slice(1)) {
    readFileSync(file, 'utf8').split('\n').filter(Boolean).forEach(show)
  }
} else if (given[0] && given[0] !== '--golden' && given.length <= 2) {
  let left = Number(given[1] ?? -1)
  await read(given[0], (text) => {
    if (show(text)) left -= 1
    return left !== 0
  })
} else {
  console.error('node indicators.mjs TOPIC [ROWS], or node indicators.mjs --golden FILE...')
  process.exit(2)
}
