package io.weft.agent.metrics;

import io.weft.agent.settings.Settings;
import java.util.Map;

/**
 * Who this process is in its metrics. Empty is what is not known.
 *
 * @param principal SPIFFE ID
 */
public record Workload(String service, String namespace, String version, String cluster, String principal) {

    public static Workload of(Settings settings, String principal) {
        Map<String, String> tags = settings.tags();
        return new Workload(
                settings.service().orElse(""),
                tags.getOrDefault("k8s.kuma.io/namespace", ""),
                tags.getOrDefault("version", ""),
                settings.zone().orElse(""),
                principal);
    }
}
