import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Reads one topic, from the first row kept. */
final class Topic {
    private Topic() {}

    /** Calls take for each row until it returns false. */
    static void read(String topic, Predicate<String> take) {
        String servers = System.getenv().getOrDefault("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092");
        Map<String, Object> settings = Map.of(
                "bootstrap.servers", servers,
                "isolation.level", "read_committed",
                "enable.auto.commit", false);
        // a topic of one symbol has one partition; who shares work among processes subscribes instead
        List<TopicPartition> partitions = List.of(new TopicPartition(topic, 0));
        try (var consumer = new KafkaConsumer<>(
                settings, new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            while (true) {
                for (ConsumerRecord<String, String> row : consumer.poll(Duration.ofMillis(500))) {
                    if (!take.test(row.value())) {
                        return;
                    }
                }
            }
        }
    }
}
