import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Prints the indicators of one topic: Indicators TOPIC [ROWS]; or the rows of files: Indicators
 * --golden FILE...
 */
public final class Indicators {
    /** Says which rows replace each other. */
    private record Key(
            String exchange, String symbol, String input, String interval, String name, String params,
            long openTime) {}

    private final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    /** Revision of each closed value; never forgotten here: a topic keeps 30 days. */
    private final Map<Key, Integer> revisions = new HashMap<>();
    private int left;

    private Indicators(int left) {
        this.left = left;
    }

    public static void main(String[] given) throws IOException {
        boolean golden = given.length > 0 && given[0].equals("--golden");
        if (golden && given.length > 1) {
            var printer = new Indicators(-1);
            for (String file : Arrays.asList(given).subList(1, given.length)) {
                Files.readAllLines(Path.of(file)).forEach(printer::take);
            }
        } else if (!golden && (given.length == 1 || given.length == 2)) {
            int rows = given.length == 2 ? Integer.parseInt(given[1]) : -1;
            Topic.read(given[0], new Indicators(rows)::take);
        } else {
            System.err.println("Indicators TOPIC [ROWS], or Indicators --golden FILE...");
            System.exit(2);
        }
    }

    /** Prints a row; tells whether more are wanted. */
    private boolean take(String text) {
        Row row = Row.parse(text);
        if (row.type().equals("status")) {
            out.println("--- " + row.state() + " " + Row.shown(row.reason()));
        } else if (row.type().equals("indicator") && isNew(row)) {
            out.println(line(row));
            left--;
        }
        return left != 0;
    }

    /**
     * Tells whether a value is not replaced yet: live values replace each other, the closed one
     * replaces them, and a closed one with a higher revision that one.
     */
    private boolean isNew(Row row) {
        var key = new Key(row.exchange(), row.symbol(), row.input(), row.interval(), row.name(),
                row.params(), row.openTime());
        Integer replaced = revisions.get(key);
        if (row.closed() && (replaced == null || row.revision() > replaced)) {
            revisions.put(key, row.revision());
            return true;
        }
        return !row.closed() && replaced == null;
    }

    private static String line(Row row) {
        List<String> words = new ArrayList<>();
        words.add(Instant.ofEpochSecond(row.openTime() / 1_000_000).toString());
        words.add(row.input());
        words.add(row.interval());
        words.add(row.params().isEmpty() ? row.name() : row.name() + ":" + row.params());
        row.values().forEach((name, value) -> words.add(name + "=" + value));
        words.add(row.closed() ? "closed" : "live");
        words.add("revision=" + row.revision());
        words.add("bars=" + row.barsSeen());
        words.add(row.warm() ? "warm" : "warming");
        if (row.incomplete()) {
            words.add("incomplete");
        }
        return String.join(" ", words);
    }
}
