package io.weft.controlplane.policy;

import io.weft.controlplane.policy.MeshHttpRoute.HeaderChanges;
import io.weft.controlplane.policy.MeshRateLimit.Rate;
import io.weft.controlplane.policy.MeshRateLimit.Requests;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Reads what a {@code MeshRateLimit} says, with Kuma's own checks. */
final class MeshRateLimitParser {

    /** Envoy's: a bucket is filled no more often. */
    private static final Duration MIN_INTERVAL = Duration.ofMillis(50);

    private static final HeaderChanges NO_HEADERS = new HeaderChanges(List.of(), List.of(), List.of());

    static MeshRateLimit read(Fields conf, PolicyKind.Place place) {
        Fields local = conf.require("local").fields();
        Optional<Value> http = local.get("http");
        Optional<Value> tcp = local.get("tcp");
        if (http.isEmpty() && tcp.isEmpty()) {
            local.refuse("http", "is missing, and so is tcp; set at least one of them");
        }
        if (place.bySource()) {
            tcp.ifPresent(value -> value.refuse("cannot be set for some callers: a connection is counted before anybody knows who it"
                    + " is from; remove matches, or limit requests"));
        }
        local.end();
        return new MeshRateLimit(
                http.flatMap(value -> requests(value.fields())), tcp.flatMap(value -> connections(value.fields())));
    }

    private static Optional<Requests> requests(Fields fields) {
        boolean disabled = fields.get("disabled").map(Value::bool).orElse(false);
        Optional<Rate> rate = fields.get("requestRate").map(value -> rate(value.fields()));
        Optional<Value> answer = fields.get("onRateLimit");
        if (fields.get("disabled").isEmpty() && rate.isEmpty() && answer.isEmpty()) {
            fields.refuse("requestRate", "is missing; set it, or disabled: true");
        }
        OptionalInt status = OptionalInt.empty();
        HeaderChanges headers = NO_HEADERS;
        if (answer.isPresent()) {
            Fields section = answer.get().fields();
            // Envoy takes anything below for a slip and answers 429.
            status = section.count("status", 400, 599);
            headers = section.get("headers").map(MeshHttpRouteParser::additions).orElse(NO_HEADERS);
            section.end();
        }
        fields.end();
        if (disabled) {
            return Optional.empty();
        }
        OptionalInt chosen = status;
        HeaderChanges added = headers;
        return rate.map(limit -> new Requests(limit, chosen, added));
    }

    private static Optional<Rate> connections(Fields fields) {
        boolean disabled = fields.get("disabled").map(Value::bool).orElse(false);
        Optional<Rate> rate = fields.get("connectionRate").map(value -> rate(value.fields()));
        if (fields.get("disabled").isEmpty() && rate.isEmpty()) {
            fields.refuse("connectionRate", "is missing; set it, or disabled: true");
        }
        fields.end();
        return disabled ? Optional.empty() : rate;
    }

    private static Rate rate(Fields fields) {
        int number = (int) fields.require("num").whole(1, Integer.MAX_VALUE);
        Value interval = fields.require("interval");
        Duration chosen = interval.duration();
        if (chosen.compareTo(MIN_INTERVAL) < 0) {
            interval.refuse("must be at least 50ms");
            chosen = MIN_INTERVAL;
        }
        fields.end();
        return new Rate(number, chosen);
    }

    private MeshRateLimitParser() {}
}
