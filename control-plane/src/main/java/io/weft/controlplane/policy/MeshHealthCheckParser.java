package io.weft.controlplane.policy;

import io.weft.controlplane.policy.MeshHealthCheck.Grpc;
import io.weft.controlplane.policy.MeshHealthCheck.Http;
import io.weft.controlplane.policy.MeshHealthCheck.Panic;
import io.weft.controlplane.policy.MeshHealthCheck.Tcp;
import io.weft.controlplane.policy.MeshHealthCheck.Timing;
import io.weft.controlplane.policy.MeshHttpRoute.HeaderChanges;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads what a {@code MeshHealthCheck} says, with Kuma's own checks. */
final class MeshHealthCheckParser {

    private static final int MAX_THRESHOLD = 1_000;

    static MeshHealthCheck read(Fields conf, PolicyKind.Place place) {
        Timing timing = new Timing(
                conf.get("interval").map(Value::positiveDuration),
                conf.get("timeout").map(Value::positiveDuration),
                conf.count("unhealthyThreshold", 1, MAX_THRESHOLD),
                conf.count("healthyThreshold", 1, MAX_THRESHOLD),
                conf.get("initialJitter").map(Value::positiveDuration),
                conf.get("intervalJitter").map(Value::positiveDuration),
                conf.count("intervalJitterPercent", 0, 100),
                conf.get("noTrafficInterval").map(Value::positiveDuration),
                conf.get("reuseConnection").map(Value::bool),
                conf.get("eventLogPath").map(Value::nonEmptyText),
                conf.get("alwaysLogHealthCheckFailures").map(Value::bool));
        Panic panic = new Panic(
                conf.get("healthyPanicThreshold").map(Value::percentage), conf.get("failTrafficOnPanic").map(Value::bool));
        Optional<Value> tcp = conf.get("tcp");
        Optional<Value> http = conf.get("http");
        Optional<Value> grpc = conf.get("grpc");
        if (tcp.isEmpty() && http.isEmpty() && grpc.isEmpty()) {
            conf.refuse("http", "is missing, and so are grpc and tcp; set at least one of them");
        }
        return new MeshHealthCheck(
                timing,
                panic,
                tcp.map(value -> tcp(value.fields())),
                http.map(value -> http(value.fields())),
                grpc.map(value -> grpc(value.fields())));
    }

    private static Tcp tcp(Fields fields) {
        List<String> receive = new ArrayList<>();
        for (Value item : fields.items("receive")) {
            receive.add(item.nonEmptyText());
        }
        Tcp check = new Tcp(disabled(fields), fields.get("send").map(Value::nonEmptyText), receive);
        fields.end();
        return check;
    }

    private static Http http(Fields fields) {
        List<Integer> expected = new ArrayList<>();
        for (Value item : fields.items("expectedStatuses")) {
            expected.add((int) item.whole(100, 599));
        }
        Optional<String> path = fields.get("path").map(MeshHttpRouteParser::absolutePath);
        Http check = new Http(
                disabled(fields),
                path,
                fields.get("requestHeadersToAdd").map(MeshHttpRouteParser::additions)
                        .orElse(new HeaderChanges(List.of(), List.of(), List.of())),
                expected);
        fields.end();
        return check;
    }

    private static Grpc grpc(Fields fields) {
        Grpc check = new Grpc(
                disabled(fields),
                fields.get("serviceName").map(Value::text).orElse(""),
                fields.get("authority").map(Value::text).orElse(""));
        fields.end();
        return check;
    }

    private static boolean disabled(Fields fields) {
        return fields.get("disabled").map(Value::bool).orElse(false);
    }

    private MeshHealthCheckParser() {}
}
