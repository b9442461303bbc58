package io.weft.dataplane;

import io.weft.dataplane.format.JsonText;
import io.weft.dataplane.format.ResponseFlag;
import java.util.ArrayList;
import java.util.List;

/** How a request is decided, for who asked. For one thread at a time. */
final class Decision {
    private final List<String> attempts = new ArrayList<>(2);

    /** @param outcome a status or the name of a failure */
    void attempted(String endpoint, String outcome) {
        attempts.add("{\"endpoint\":" + quoted(endpoint) + ",\"outcome\":" + quoted(outcome) + "}");
    }

    /** One object of JSON, in ASCII and in one line. */
    String of(Exchange exchange) {
        return "{\"reporter\":\"source\"" + field("virtualHost", exchange.route == null ? null : exchange.route.virtualHost()) + common(exchange)
                + ",\"attempts\":[" + String.join(",", attempts) + "]}";
    }

    static String of(InboundExchange exchange) {
        Connection.Peer peer = exchange.connection().peer();
        return "{\"reporter\":\"destination\"" + field("peer", peer == null || peer.uriSans().isEmpty() ? null : peer.uriSans().get(0))
                + common(exchange) + "}";
    }

    private static String common(HttpStream stream) {
        return field("route", stream.routeName()) + field("cluster", stream.upstreamCluster())
                + field("endpoint", stream.upstreamAddress())
                + ",\"responseCode\":" + stream.responseCode()
                + field("responseFlags", ResponseFlag.names(stream.responseFlags(), false))
                + field("details", stream.responseCodeDetails());
    }

    private static String field(String name, String value) {
        return ",\"" + name + "\":" + (value == null ? "null" : quoted(value));
    }

    /** In a header there is ASCII only. */
    private static String quoted(String text) {
        String quoted = JsonText.quoted(text);
        StringBuilder ascii = new StringBuilder(quoted.length());
        for (int i = 0; i < quoted.length(); i++) {
            char c = quoted.charAt(i);
            if (c <= '~') {
                ascii.append(c);
            } else {
                ascii.append(String.format("\\u%04x", (int) c));
            }
        }
        return ascii.toString();
    }
}
