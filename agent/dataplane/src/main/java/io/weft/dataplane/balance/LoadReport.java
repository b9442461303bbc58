package io.weft.dataplane.balance;

import io.weft.dataplane.ResponseHeaders;
import io.weft.dataplane.WireReader;
import io.weft.dataplane.load.LoadFormat;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;

/**
 * What an endpoint says of its load in a response header: {@code xds.data.orca.v3.OrcaLoadReport} as text
 * ({@code endpoint-load-metrics: TEXT cpu_utilization=0.3, rps_fractional=10}), as JSON or as base64 of protobuf, as Envoy reads
 * them, and in gRPC's own header.
 *
 * @param metrics by the names that {@code metric_names_for_computing_utilization} uses, such as {@code named_metrics.queue}
 */
record LoadReport(Map<String, Double> metrics) {
    private static final String GRPC_HEADER = "endpoint-load-metrics-bin";

    private static final String RPS = "rps_fractional";
    private static final String EPS = "eps";
    private static final String CPU = "cpu_utilization";
    private static final String MEMORY = "mem_utilization";
    private static final String APPLICATION = "application_utilization";
    private static final String NAMED = "named_metrics.";
    private static final String UTILIZATION = "utilization.";
    private static final String COST = "request_cost.";

    /** @return null when there is no report, or none that can be understood */
    static LoadReport of(ResponseHeaders headers) {
        String grpc = headers.header(GRPC_HEADER);
        String other = grpc == null ? headers.header(LoadFormat.REPORT_HEADER) : null;
        if (grpc == null && other == null) {
            return null;
        }
        try {
            return new LoadReport(grpc == null ? report(other) : binary(grpc));
        } catch (IllegalArgumentException malformed) {
            // An endpoint's mistake costs it its weight and no request its answer; Envoy logs it at debug level.
            return null;
        }
    }

    private static Map<String, Double> report(String header) {
        int blank = header.indexOf(' ');
        String report = header.substring(blank + 1);
        return switch (blank < 0 ? "" : header.substring(0, blank)) {
            case "TEXT" -> text(report);
            case "JSON" -> new Json(report).report();
            case "BIN" -> binary(report);
            default -> throw new IllegalArgumentException("no format of a load report");
        };
    }

    double requestsPerSecond() {
        return metric(RPS);
    }

    double errorsPerSecond() {
        return metric(EPS);
    }

    double cpu() {
        return metric(CPU);
    }

    double application() {
        return metric(APPLICATION);
    }

    /** 0: not reported */
    double metric(String name) {
        return metrics.getOrDefault(name, 0.0);
    }

    /** The largest of a map's when the name ends in {@code *}. */
    double largest(String name) {
        if (!name.endsWith(".*")) {
            return metric(name);
        }
        double largest = 0;
        for (Map.Entry<String, Double> entry : metrics.entrySet()) {
            if (entry.getKey().startsWith(name.substring(0, name.length() - 1))) {
                largest = Math.max(largest, entry.getValue());
            }
        }
        return largest;
    }

    private static Map<String, Double> text(String header) {
        Map<String, Double> metrics = new HashMap<>();
        for (String part : header.split(",")) {
            int colon = part.indexOf('=') < 0 ? part.indexOf(':') : part.indexOf('=');
            String name = (colon < 0 ? part : part.substring(0, colon)).strip();
            boolean known = name.startsWith(NAMED) && name.length() > NAMED.length()
                    || name.startsWith(UTILIZATION) && name.length() > UTILIZATION.length()
                    || name.equals(RPS)
                    || name.equals(EPS)
                    || name.equals(CPU)
                    || name.equals(MEMORY)
                    || name.equals(APPLICATION);
            if (colon < 0 || !known || metrics.put(name, number(part.substring(colon + 1))) != null) {
                throw new IllegalArgumentException(part);
            }
        }
        return metrics;
    }

    private static double number(String text) {
        double number = Double.parseDouble(text.strip());
        if (Double.isNaN(number) || Double.isInfinite(number)) {
            throw new IllegalArgumentException(text);
        }
        return number;
    }

    /** Fields 1, 2, 6, 7 and 9 are doubles, 4, 5 and 8 maps from string to double. */
    private static Map<String, Double> binary(String base64) {
        Map<String, Double> metrics = new HashMap<>();
        WireReader wire = new WireReader(Base64.getDecoder().decode(base64));
        while (wire.hasNext()) {
            int tag = (int) wire.varint();
            switch (tag) {
                case 1 << 3 | WireReader.FIXED64 -> metrics.put(CPU, wire.fixed64());
                case 2 << 3 | WireReader.FIXED64 -> metrics.put(MEMORY, wire.fixed64());
                case 6 << 3 | WireReader.FIXED64 -> metrics.put(RPS, wire.fixed64());
                case 7 << 3 | WireReader.FIXED64 -> metrics.put(EPS, wire.fixed64());
                case 9 << 3 | WireReader.FIXED64 -> metrics.put(APPLICATION, wire.fixed64());
                case 4 << 3 | WireReader.BYTES -> entry(COST, wire.bytes(), metrics);
                case 5 << 3 | WireReader.BYTES -> entry(UTILIZATION, wire.bytes(), metrics);
                case 8 << 3 | WireReader.BYTES -> entry(NAMED, wire.bytes(), metrics);
                default -> wire.skip(tag & 7);
            }
        }
        return metrics;
    }

    private static void entry(String prefix, WireReader wire, Map<String, Double> metrics) {
        String key = "";
        double value = 0;
        while (wire.hasNext()) {
            int tag = (int) wire.varint();
            switch (tag) {
                case 1 << 3 | WireReader.BYTES -> key = wire.bytes().text();
                case 2 << 3 | WireReader.FIXED64 -> value = wire.fixed64();
                default -> wire.skip(tag & 7);
            }
        }
        metrics.put(prefix + key, value);
    }

    /** Reads an object of numbers and of objects of numbers; what is anything else is an {@link IllegalArgumentException}. */
    private static final class Json {
        private final String text;
        private int at;

        Json(String text) {
            this.text = text;
        }

        Map<String, Double> report() {
            Map<String, Double> metrics = new HashMap<>();
            object("", metrics);
            if (peek() != 0) {
                throw malformed();
            }
            return metrics;
        }

        private void object(String prefix, Map<String, Double> metrics) {
            expect('{');
            if (peek() == '}') {
                at++;
                return;
            }
            do {
                String name = name();
                expect(':');
                if (prefix.isEmpty() && peek() == '{') {
                    object(snakeCase(name) + '.', metrics);
                } else {
                    metrics.put(prefix.isEmpty() ? snakeCase(name) : prefix + name, value());
                }
            } while (next() == ',');
            if (text.charAt(at - 1) != '}') {
                throw malformed();
            }
        }

        /** Protobuf's JSON has names in either form. */
        private static String snakeCase(String name) {
            StringBuilder snake = new StringBuilder();
            for (char c : name.toCharArray()) {
                if (c >= 'A' && c <= 'Z') {
                    snake.append('_').append((char) (c + 32));
                } else {
                    snake.append(c);
                }
            }
            return snake.toString();
        }

        private String name() {
            expect('"');
            int end = text.indexOf('"', at);
            if (end < 0 || text.substring(at, end).indexOf('\\') >= 0) {
                throw malformed();
            }
            String name = text.substring(at, end);
            at = end + 1;
            return name;
        }

        private double value() {
            boolean quoted = peek() == '"';
            at += quoted ? 1 : 0;
            int from = at;
            while (at < text.length() && "+-.0123456789eE".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
            double value = number(text.substring(from, at));
            if (quoted) {
                expect('"');
            }
            return value;
        }

        private void expect(char c) {
            if (next() != c) {
                throw malformed();
            }
        }

        private char next() {
            char next = peek();
            at++;
            return next;
        }

        /** The next character that is no blank; 0 at the end. */
        private char peek() {
            while (at < text.length() && text.charAt(at) <= ' ') {
                at++;
            }
            return at < text.length() ? text.charAt(at) : 0;
        }

        private IllegalArgumentException malformed() {
            return new IllegalArgumentException("character " + at);
        }
    }
}
