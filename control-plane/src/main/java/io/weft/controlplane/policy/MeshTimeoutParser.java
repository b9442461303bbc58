package io.weft.controlplane.policy;

import io.weft.controlplane.policy.MeshTimeout.Http;
import java.time.Duration;
import java.util.Optional;

/** Reads what a {@code MeshTimeout} says, with Kuma's own checks. */
final class MeshTimeoutParser {

    static MeshTimeout read(Fields conf, PolicyKind.Place place) {
        Optional<Value> connection = conf.get("connectionTimeout");
        Optional<Value> idle = conf.get("idleTimeout");
        Optional<Value> http = conf.get("http");
        if (connection.isEmpty() && idle.isEmpty() && http.isEmpty()) {
            conf.refuse("http", "is missing, and so are connectionTimeout and idleTimeout; set at least one of them");
        }
        if (place.route()) {
            perConnection(connection);
            perConnection(idle);
        }
        return new MeshTimeout(
                connection.map(Value::positiveDuration),
                idle.map(Value::duration),
                http.map(value -> http(value.fields(), place)).orElse(Http.NONE));
    }

    private static Http http(Fields fields, PolicyKind.Place place) {
        Optional<Duration> request = fields.get("requestTimeout").map(Value::duration);
        Optional<Duration> streamIdle = fields.get("streamIdleTimeout").map(Value::duration);
        Optional<Value> maxStream = fields.get("maxStreamDuration");
        Optional<Value> maxConnection = fields.get("maxConnectionDuration");
        Optional<Value> requestHeaders = fields.get("requestHeadersTimeout");
        if (request.isEmpty() && streamIdle.isEmpty() && maxStream.isEmpty() && maxConnection.isEmpty()
                && requestHeaders.isEmpty()) {
            fields.refuse("requestTimeout", "is missing, and so are the others; set at least one timeout in this section");
        }
        if (place.route()) {
            perConnection(maxStream);
            perConnection(maxConnection);
            perConnection(requestHeaders);
        }
        fields.end();
        return new Http(
                request,
                streamIdle,
                maxStream.map(Value::duration),
                maxConnection.map(Value::duration),
                requestHeaders.map(Value::duration));
    }

    private static void perConnection(Optional<Value> field) {
        field.ifPresent(value -> value.refuse(
                "cannot be set for a MeshHTTPRoute: routes share their connections; set it for the service"));
    }

    private MeshTimeoutParser() {}
}
