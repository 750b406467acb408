import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Prints the trades of one topic: Trades TOPIC [ROWS]. */
public final class Trades {
    public static void main(String[] arguments) {
        if (arguments.length < 1 || arguments.length > 2) {
            System.err.println("Trades TOPIC [ROWS]");
            System.exit(2);
        }
        int left = arguments.length == 2 ? Integer.parseInt(arguments[1]) : -1;
        String servers = System.getenv().getOrDefault("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092");
        Map<String, Object> settings = Map.of(
                "bootstrap.servers", servers,
                "isolation.level", "read_committed",
                "enable.auto.commit", false);
        // a topic of one symbol has one partition; who shares work among processes subscribes instead
        TopicPartition partition = new TopicPartition(arguments[0], 0);
        try (var consumer = new KafkaConsumer<>(
                settings, new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            while (left != 0) {
                for (ConsumerRecord<String, String> row : consumer.poll(Duration.ofMillis(500))) {
                    // rows are JSON, `type` first: status and clock rows travel with the trades
                    if (row.value().startsWith("{\"type\":\"trade\"") && left != 0) {
                        System.out.println(row.value());
                        left--;
                    }
                }
            }
        }
    }
}
