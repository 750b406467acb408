// Prints the trades of one topic: node trades.mjs TOPIC [ROWS]
import kafkajs from 'kafkajs'
import lz4 from 'lz4js'

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs

// rows are compressed with lz4, which kafkajs leaves to others
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: async (encoder) => Buffer.from(lz4.compress(encoder.buffer)),
  decompress: async (buffer) => Buffer.from(lz4.decompress(buffer)),
})

const [topic, rows = '-1'] = process.argv.slice(2)
if (!topic) {
  console.error('node trades.mjs TOPIC [ROWS]')
  process.exit(2)
}
const brokers = (process.env.KAFKA_BOOTSTRAP_SERVERS ?? 'localhost:9092').split(',')
const kafka = new Kafka({ brokers, logLevel: logLevel.ERROR })
const consumer = kafka.consumer({
  groupId: `example-${process.pid}`,
  sessionTimeout: 6000,
  // read_committed, which is kafkajs's default, said aloud
  readUncommitted: false,
})

let left = Number(rows)
let finished
const done = new Promise((resolve) => { finished = resolve })

await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: true })
await consumer.run({
  autoCommit: false,
  eachMessage: async ({ message }) => {
    const row = JSON.parse(message.value)
    if (row.type === 'trade' && left !== 0) {
      // prices are texts: a number of JavaScript cannot hold them all
      console.log(row.exchange_time, row.side, row.amount, 'at', row.price)
      left -= 1
    } else if (row.type === 'status') {
      console.log('---', row.state, row.reason ?? '')
    }
    if (left === 0) finished()
  },
})
await done
await consumer.disconnect()
