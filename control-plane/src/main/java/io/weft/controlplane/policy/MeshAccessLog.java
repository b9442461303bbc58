package io.weft.controlplane.policy;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Kuma's {@code MeshAccessLog}, of which files can be written here. */
public record MeshAccessLog(List<File> backends) {

    public MeshAccessLog {
        backends = List.copyOf(backends);
    }

    /** @param format absent: Kuma's */
    public record File(String path, Optional<Format> format) {}

    public sealed interface Format {
        boolean omitEmptyValues();
    }

    public record Plain(String text, boolean omitEmptyValues) implements Format {}

    /** @param fields in the order in which they are written */
    public record Json(List<Map.Entry<String, String>> fields, boolean omitEmptyValues) implements Format {
        public Json {
            fields = List.copyOf(fields);
        }
    }
}
