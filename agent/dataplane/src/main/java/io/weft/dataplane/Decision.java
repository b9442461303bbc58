package io.weft.dataplane;

import io.weft.dataplane.format.JsonText;
import io.weft.dataplane.format.ResponseFlag;
import io.weft.dataplane.route.RouteEntry;
import java.util.ArrayList;
import java.util.List;

/** How a request is decided, for who asked. For one thread at a time. */
final class Decision {
    private final boolean answered;
    private final boolean logged;
    private final List<String> attempts = new ArrayList<>(2);

    /**
     * @param answered the response is to say it
     * @param logged the log is to say it when the request is over
     */
    Decision(boolean answered, boolean logged) {
        this.answered = answered;
        this.logged = logged;
    }

    boolean isAnswered() {
        return answered;
    }

    boolean isLogged() {
        return logged;
    }

    /** @param outcome a status or the name of a failure */
    void attempted(String endpoint, String outcome) {
        attempts.add("{\"endpoint\":" + quoted(endpoint) + ",\"outcome\":" + quoted(outcome) + "}");
    }

    /** One object of JSON, in ASCII and in one line. */
    String of(Exchange exchange) {
        return "{\"reporter\":\"source\"" + virtualHost(exchange.route) + common(exchange)
                + ",\"attempts\":[" + String.join(",", attempts) + "]}";
    }

    static String of(InboundExchange exchange) {
        Connection.Peer peer = exchange.connection().peer();
        return "{\"reporter\":\"destination\"" + field("peer", peer == null || peer.uriSans().isEmpty() ? null : peer.uriSans().get(0))
                + virtualHost(exchange.route) + common(exchange) + "}";
    }

    private static String virtualHost(RouteEntry route) {
        return field("virtualHost", route == null ? null : route.virtualHost());
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
