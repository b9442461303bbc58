package io.weft.controlplane.policy;

import io.weft.controlplane.policy.MeshRetry.BackOff;
import io.weft.controlplane.policy.MeshRetry.Common;
import io.weft.controlplane.policy.MeshRetry.Grpc;
import io.weft.controlplane.policy.MeshRetry.HostSelection;
import io.weft.controlplane.policy.MeshRetry.Http;
import io.weft.controlplane.policy.MeshRetry.RateLimitedBackOff;
import io.weft.controlplane.policy.MeshRetry.ResetHeader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** Reads what a {@code MeshRetry} says, with Kuma's own checks. */
final class MeshRetryParser {

    private static final int MAX_RETRIES = 1_000;
    private static final String METHOD = "HttpMethod";

    private static final Map<String, String> HTTP_CONDITIONS = Map.of(
            "5xx", "5xx",
            "GatewayError", "gateway-error",
            "Reset", "reset",
            "Retriable4xx", "retriable-4xx",
            "ConnectFailure", "connect-failure",
            "EnvoyRatelimited", "envoy-ratelimited",
            "RefusedStream", "refused-stream");
    private static final List<String> METHODS =
            List.of("Connect", "Delete", "Get", "Head", "Options", "Patch", "Post", "Put", "Trace");
    private static final Map<String, String> GRPC_CONDITIONS = grpcConditions();

    private static Map<String, String> grpcConditions() {
        Map<String, String> conditions = new LinkedHashMap<>();
        conditions.put("Canceled", "cancelled");
        conditions.put("DeadlineExceeded", "deadline-exceeded");
        conditions.put("Internal", "internal");
        conditions.put("ResourceExhausted", "resource-exhausted");
        conditions.put("Unavailable", "unavailable");
        return conditions;
    }

    static MeshRetry read(Fields conf, PolicyKind.Place place) {
        Optional<Value> tcp = conf.get("tcp");
        Optional<Value> http = conf.get("http");
        Optional<Value> grpc = conf.get("grpc");
        if (tcp.isEmpty() && http.isEmpty() && grpc.isEmpty()) {
            conf.refuse("http", "is missing, and so are grpc and tcp; set at least one of them");
        }
        return new MeshRetry(
                tcp.map(value -> tcp(value.fields())),
                http.map(value -> http(value.fields())),
                grpc.map(value -> grpc(value.fields())));
    }

    private static int tcp(Fields fields) {
        int attempts = (int) fields.require("maxConnectAttempt").whole(1, MAX_RETRIES);
        fields.end();
        return attempts;
    }

    private static Http http(Fields fields) {
        List<String> conditions = new ArrayList<>();
        List<Integer> statuses = new ArrayList<>();
        List<String> methods = new ArrayList<>();
        for (Value item : fields.items("retryOn")) {
            condition(item, conditions, statuses, methods);
        }
        Http http = new Http(
                common(fields),
                conditions,
                statuses,
                methods,
                MeshHttpRouteParser.headerMatches(fields.items("retriableResponseHeaders")),
                MeshHttpRouteParser.headerMatches(fields.items("retriableRequestHeaders")),
                fields.get("hostSelection").map(MeshRetryParser::hostSelection),
                fields.get("hostSelectionMaxAttempts").map(value -> OptionalInt.of((int) value.whole(1, MAX_RETRIES)))
                        .orElse(OptionalInt.empty()));
        fields.end();
        return http;
    }

    /** A status may be written as a number, too. */
    private static void condition(Value item, List<String> conditions, List<Integer> statuses, List<String> methods) {
        if (item.node() instanceof Node.Whole) {
            statuses.add((int) item.whole(100, 599));
            return;
        }
        String text = item.text();
        String method = text.startsWith(METHOD) ? text.substring(METHOD.length()) : "";
        if (text.matches("[1-5][0-9][0-9]")) {
            statuses.add(Integer.parseInt(text));
        } else if (METHODS.contains(method)) {
            methods.add(method.toUpperCase(java.util.Locale.ROOT));
        } else if (HTTP_CONDITIONS.containsKey(text)) {
            conditions.add(HTTP_CONDITIONS.get(text));
        } else if (text.equals("Http3PostConnectFailure")) {
            item.refuse("'" + text + "' has no meaning here: nobody is called by HTTP/3; remove it");
        } else {
            item.refuse("must be a status, HttpMethodGet and the like, or one of "
                    + String.join(", ", HTTP_CONDITIONS.keySet().stream().sorted().toList()) + ", not '" + text + "'");
        }
    }

    private static Grpc grpc(Fields fields) {
        List<String> conditions = new ArrayList<>();
        for (Value item : fields.items("retryOn")) {
            conditions.add(item.choice(GRPC_CONDITIONS));
        }
        Grpc grpc = new Grpc(common(fields), conditions);
        fields.end();
        return grpc;
    }

    private static Common common(Fields fields) {
        return new Common(
                fields.get("numRetries").map(value -> OptionalInt.of((int) value.whole(0, MAX_RETRIES)))
                        .orElse(OptionalInt.empty()),
                fields.get("perTryTimeout").map(Value::duration),
                fields.get("backOff").map(value -> backOff(value.fields())),
                fields.get("rateLimitedBackOff").map(value -> rateLimited(value.fields())));
    }

    private static BackOff backOff(Fields fields) {
        BackOff backOff = new BackOff(
                fields.get("baseInterval").map(Value::positiveDuration),
                fields.get("maxInterval").map(Value::positiveDuration));
        if (backOff.base().isEmpty() && backOff.maximum().isEmpty()) {
            fields.refuse("baseInterval", "is missing, and so is maxInterval; set at least one of them");
        }
        if (backOff.base().isPresent() && backOff.maximum().isPresent()
                && backOff.base().get().compareTo(backOff.maximum().get()) > 0) {
            fields.refuse("maxInterval", "must not be below baseInterval");
        }
        fields.end();
        return backOff;
    }

    private static RateLimitedBackOff rateLimited(Fields fields) {
        Map<String, ResetHeader.Format> formats = new LinkedHashMap<>();
        formats.put("Seconds", ResetHeader.Format.SECONDS);
        formats.put("UnixTimestamp", ResetHeader.Format.UNIX_TIMESTAMP);
        Value list = fields.require("resetHeaders");
        List<ResetHeader> headers = new ArrayList<>();
        for (Value item : list.items()) {
            Fields header = item.fields();
            headers.add(new ResetHeader(
                    MeshHttpRouteParser.headerName(header.require("name")), header.require("format").choice(formats)));
            header.end();
        }
        if (headers.isEmpty() && list.node() instanceof Node.Sequence) {
            list.refuse("needs at least one header");
        }
        RateLimitedBackOff backOff =
                new RateLimitedBackOff(headers, fields.get("maxInterval").map(Value::positiveDuration));
        fields.end();
        return backOff;
    }

    private static List<HostSelection> hostSelection(Value value) {
        List<HostSelection> predicates = new ArrayList<>();
        for (Value item : value.items()) {
            Fields fields = item.fields();
            String type = fields.require("predicate")
                    .choice(ResourceParser.words("OmitPreviousHosts", "OmitHostsWithTags", "OmitPreviousPriorities"));
            HostSelection predicate = switch (type) {
                case "OmitHostsWithTags" -> new MeshRetry.OmitHostsWithTags(fields.require("tags").texts());
                case "OmitPreviousPriorities" ->
                    new MeshRetry.OmitPreviousPriorities((int) fields.require("updateFrequency").whole(1, MAX_RETRIES));
                default -> new MeshRetry.OmitPreviousHosts();
            };
            // The type decides which of them counts.
            fields.accept("tags", "updateFrequency");
            fields.end();
            if (predicate instanceof MeshRetry.OmitPreviousPriorities
                    && predicates.stream().anyMatch(MeshRetry.OmitPreviousPriorities.class::isInstance)) {
                item.refuse("OmitPreviousPriorities occurs twice; keep one");
            }
            predicates.add(predicate);
        }
        return predicates;
    }

    private MeshRetryParser() {}
}
