// A reader of one topic, from the first row kept.
import kafkajs from 'kafkajs'
import lz4 from 'lz4js'

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs

// rows are compressed with lz4, which kafkajs leaves to others
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: async (encoder) => Buffer.from(lz4.compress(encoder.buffer)),
  decompress: async (buffer) => Buffer.from(lz4.decompress(buffer)),
})

// Calls take(text) for each row until it returns false.
export async function read(topic, take) {
  const brokers = (process.env.KAFKA_BOOTSTRAP_SERVERS ?? 'localhost:9092').split(',')
  const kafka = new Kafka({ brokers, logLevel: logLevel.ERROR })
  const consumer = kafka.consumer({
    groupId: `example-${process.pid}-${Date.now()}`,
    sessionTimeout: 6000,
    // read_committed, which is kafkajs's default, said aloud
    readUncommitted: false,
  })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  let wanted = true
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
    consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        // after the last one the rest of the batch still comes
        if (wanted && !(wanted = take(message.value.toString()))) resolve()
      },
    }).catch(reject)
  })
  await consumer.disconnect()
}
