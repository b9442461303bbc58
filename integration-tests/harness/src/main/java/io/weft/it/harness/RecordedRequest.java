package io.weft.it.harness;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A request as it arrived.
 *
 * @param line as in {@code GET /orders HTTP/1.1}
 * @param headers lines in the order and the case in which they arrived
 * @param body without transfer coding
 * @param connection over which of the upstream's connections it came, counted from 0
 */
public record RecordedRequest(String line, List<String> headers, byte[] body, int connection) {
    public RecordedRequest {
        headers = List.copyOf(headers);
    }

    public String method() {
        return line.split(" ")[0];
    }

    /** Path and query. */
    public String target() {
        return line.split(" ")[1];
    }

    /** The first value of a header, whatever its case. */
    public Optional<String> header(String name) {
        return all(name).stream().findFirst();
    }

    /** All values of a header, whatever its case. */
    public List<String> all(String name) {
        String prefix = name.toLowerCase(Locale.ROOT) + ":";
        return headers.stream()
                .filter(header -> header.toLowerCase(Locale.ROOT).startsWith(prefix))
                .map(header -> header.substring(prefix.length()).strip())
                .toList();
    }

    /** All that the client decided about it. */
    public String wire() {
        return line + "\n" + String.join("\n", headers) + "\n\n" + text();
    }

    public String text() {
        return new String(body, StandardCharsets.UTF_8);
    }
}
