package io.weft.controlplane.policy;

import io.weft.controlplane.policy.MeshAccessLog.File;
import io.weft.controlplane.policy.MeshAccessLog.Format;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads what a {@code MeshAccessLog} says, with Kuma's own checks. */
final class MeshAccessLogParser {

    static MeshAccessLog read(Fields conf, PolicyKind.Place place) {
        List<File> backends = new ArrayList<>();
        for (Value item : conf.require("backends").items()) {
            Fields fields = item.fields();
            Value type = fields.require("type");
            switch (type.choice(ResourceParser.words("File", "Tcp", "OpenTelemetry"))) {
                case "Tcp" -> type.refuse("'Tcp' is not supported: Kuma's data plane sends such logs by a program of its own, which"
                        + " nobody runs here; write a File and let a collector read it");
                case "OpenTelemetry" -> type.refuse("'OpenTelemetry' is not supported: an agent has OpenTelemetry of its own, and sends"
                        + " no access logs by it; write a File and let a collector read it");
                default -> backends.add(file(fields.require("file").fields()));
            }
            // The type decides which of them counts.
            fields.accept("file", "tcp", "openTelemetry");
            fields.end();
        }
        return new MeshAccessLog(backends);
    }

    private static File file(Fields fields) {
        File file = new File(
                MeshHttpRouteParser.absolutePath(fields.require("path")),
                fields.get("format").map(value -> format(value.fields())));
        fields.end();
        return file;
    }

    private static Format format(Fields fields) {
        String type = fields.require("type").choice(ResourceParser.words("Plain", "Json"));
        boolean omit = fields.get("omitEmptyValues").map(Value::bool).orElse(false);
        Format format = type.equals("Plain")
                ? new MeshAccessLog.Plain(fields.require("plain").nonEmptyText(), omit)
                : new MeshAccessLog.Json(json(fields.require("json")), omit);
        // The type decides which of them counts.
        fields.accept("plain", "json");
        fields.end();
        return format;
    }

    private static List<Map.Entry<String, String>> json(Value value) {
        List<Map.Entry<String, String>> entries = new ArrayList<>();
        Set<String> keys = new HashSet<>();
        for (Value item : value.items()) {
            Fields fields = item.fields();
            Value key = fields.require("key");
            String name = key.nonEmptyText();
            if (!keys.add(name)) {
                key.refuse("occurs twice; keep one");
            }
            entries.add(Map.entry(name, fields.require("value").nonEmptyText()));
            fields.end();
        }
        if (entries.isEmpty() && value.node() instanceof Node.Sequence) {
            value.refuse("needs at least one key with a value");
        }
        return entries;
    }

    private MeshAccessLogParser() {}
}
