import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;

/**
 * The fields of trade, indicator and status rows that these programs print. What a row does not have
 * is null, or zero or false. Prices and amounts are texts; values are doubles, kept as texts with the
 * digits of the row.
 */
@JsonIgnoreProperties(ignoreUnknown = true)
record Row(
        String type, String exchange, String symbol,
        @JsonProperty("exchange_time") Long exchangeTime,
        String side, String price, String amount,
        String state, String reason,
        String input, String interval, String name, String params,
        @JsonProperty("open_time") long openTime,
        LinkedHashMap<String, String> values,
        @JsonProperty("bars_seen") int barsSeen,
        boolean warm, boolean closed, int revision, boolean incomplete) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    static Row parse(String text) {
        try {
            return MAPPER.readValue(text, Row.class);
        } catch (JsonProcessingException error) {
            throw new IllegalArgumentException("expected a row, was " + text, error);
        }
    }

    /** Returns a field as text, or a dash for null and for no text. */
    static String shown(Object field) {
        return field == null || field.equals("") ? "-" : field.toString();
    }
}
