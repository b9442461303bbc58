package io.weft.it.comparison;

import java.util.ArrayList;
import java.util.List;

/**
 * What became of a request on one side, as far as the two sides are compared.
 *
 * @param status 0: no response
 * @param headers of the response, lines of {@code name: value} with the name in lower case, sorted by name
 * @param attempts what arrived at the upstreams, in order of arrival
 * @param failure why there is no response, as the side words it; empty with a response
 * @param log lines of access logs
 * @param tookNanos from the request to the whole of its response; not compared one by one
 */
record Outcome(int status, List<String> headers, String body, List<Attempt> attempts, String failure, List<String> log, long tookNanos) {
    Outcome {
        headers = List.copyOf(headers);
        attempts = List.copyOf(attempts);
        log = List.copyOf(log);
    }

    /**
     * @param endpoint as in {@code u3}
     * @param line as in {@code GET /orders HTTP/1.1}
     * @param headers as those of an {@link Outcome}
     * @param arrivedNanos {@link System#nanoTime}; not compared one by one
     */
    record Attempt(String endpoint, String line, List<String> headers, String body, long arrivedNanos) {
        Attempt {
            headers = List.copyOf(headers);
        }

        Attempt at(long nanos) {
            return new Attempt(endpoint, line, headers, body, nanos);
        }

        Attempt at(String otherEndpoint) {
            return new Attempt(otherEndpoint, line, headers, body, arrivedNanos);
        }

        @Override
        public String toString() {
            return endpoint + " " + line + " " + headers + (body.isEmpty() ? "" : " body: " + body);
        }
    }

    /** The same without times. */
    Outcome timeless() {
        return new Outcome(status, headers, body, attempts.stream().map(attempt -> attempt.at(0)).toList(), failure, log, 0);
    }

    Outcome with(List<String> otherHeaders, List<Attempt> otherAttempts, String otherBody) {
        return new Outcome(status, otherHeaders, otherBody, otherAttempts, failure, log, tookNanos);
    }

    Outcome written(List<String> lines) {
        return new Outcome(status, headers, body, attempts, failure, lines, tookNanos);
    }

    static Outcome failed(String failure, List<Attempt> attempts, long tookNanos) {
        return new Outcome(0, List.of(), "", attempts, failure, List.of(), tookNanos);
    }

    @Override
    public String toString() {
        List<String> lines = new ArrayList<>();
        lines.add(status == 0 ? "no response: " + failure : status + " " + headers + (body.isEmpty() ? "" : " body: " + body));
        attempts.forEach(attempt -> lines.add("  at " + attempt));
        log.forEach(line -> lines.add("  log " + line));
        return String.join("\n", lines);
    }
}
