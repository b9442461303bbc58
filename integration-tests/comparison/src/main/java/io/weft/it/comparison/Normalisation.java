package io.weft.it.comparison;

import io.weft.it.comparison.Outcome.Attempt;
import io.weft.it.comparison.Subject.Answer;
import io.weft.it.comparison.Upstreams.Arrival;
import io.weft.it.harness.RecordedRequest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Takes out of an exchange what a proxy adds by its nature and no policy asked for: these headers and nothing else. */
final class Normalisation {

    /** Name to the reason why it is not compared. */
    private static final Map<String, String> REQUEST = Map.ofEntries(
            Map.entry("connection", "belongs to one connection, and a proxy has two"),
            Map.entry("keep-alive", "belongs to one connection, and a proxy has two"),
            Map.entry("transfer-encoding", "framing; the body is compared instead"),
            Map.entry("content-length", "framing; the body is compared instead"),
            Map.entry("x-forwarded-proto", "what the proxy's own client spoke; without a proxy the server sees that itself"),
            Map.entry("x-request-id", "joins the logs of proxies"),
            Map.entry("x-envoy-expected-rq-timeout-ms", "one Envoy telling the next one"),
            Map.entry("x-envoy-original-path", "one Envoy telling the next one"),
            Map.entry("x-envoy-original-host", "one Envoy telling the next one"),
            Map.entry("endpoint-load-metrics-format", "asks servers for a load report, which Envoy takes as it comes"),
            Map.entry("grpc-timeout", "the limit of the route, for a server that asks; the library writes the call's own"),
            Map.entry(Upstreams.TAG, "tells the sides apart here"));

    private static final Map<String, String> RESPONSE = Map.ofEntries(
            Map.entry("connection", "belongs to one connection, and a proxy has two"),
            Map.entry("keep-alive", "belongs to one connection, and a proxy has two"),
            Map.entry("transfer-encoding", "framing; the body is compared instead"),
            Map.entry("content-length", "framing; the body is compared instead"),
            Map.entry("date", "every proxy dates what it passes on"),
            Map.entry("endpoint-load-metrics", "a load report: in the JVM the mesh has asked for it, and the app is not told"),
            Map.entry("server", "every proxy signs what it passes on"),
            Map.entry("x-envoy-upstream-service-time", "what the proxy measured"));

    private Normalisation() {}

    static Outcome outcome(Answer answer, List<Arrival> arrivals, long tookNanos) {
        List<Attempt> attempts = arrivals.stream().map(Normalisation::attempt).toList();
        return answer.status() == 0
                ? Outcome.failed(answer.failure(), attempts, tookNanos)
                : new Outcome(answer.status(), headers(answer.headers(), RESPONSE), answer.body(), attempts, "", List.of(), tookNanos);
    }

    private static Attempt attempt(Arrival arrival) {
        RecordedRequest request = arrival.request();
        return new Attempt("u" + arrival.endpoint(), request.line(), headers(request.headers(), REQUEST), request.text(), arrival.nanos());
    }

    private static List<String> headers(List<String> lines, Map<String, String> leftOut) {
        List<String[]> headers = new ArrayList<>();
        for (String line : lines) {
            int colon = line.indexOf(':');
            String name = line.substring(0, colon).toLowerCase(Locale.ROOT);
            if (!leftOut.containsKey(name)) {
                headers.add(new String[] {name, line.substring(colon + 1).strip()});
            }
        }
        // Stable: the values of one name keep their order, which has a meaning; the order of names has none.
        headers.sort(Comparator.comparing(header -> header[0]));
        return headers.stream().map(header -> header[0] + ": " + header[1]).toList();
    }
}
