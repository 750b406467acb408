import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Prints the trades of one topic: Trades TOPIC [ROWS]. */
public final class Trades {
    private final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private int left;

    private Trades(int left) {
        this.left = left;
    }

    public static void main(String[] given) {
        if (given.length < 1 || given.length > 2) {
            System.err.println("Trades TOPIC [ROWS]");
            System.exit(2);
        }
        Topic.read(given[0], new Trades(given.length == 2 ? Integer.parseInt(given[1]) : -1)::take);
    }

    private boolean take(String text) {
        Row row = Row.parse(text);
        if (row.type().equals("trade")) {
            // price and amount are texts; new BigDecimal(row.price()) computes with them exactly
            out.println(String.join(" ", Row.shown(row.exchangeTime()), Row.shown(row.side()),
                    row.amount(), "at", row.price()));
            left--;
        } else if (row.type().equals("status")) {
            out.println("--- " + row.state() + " " + Row.shown(row.reason()));
        }
        return left != 0;
    }
}
