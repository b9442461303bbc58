package io.weft.agent.otlp;

import io.weft.agent.mesh.AgentVersion;
import io.weft.agent.settings.Settings;
import java.util.LinkedHashMap;
import java.util.Map;

/** Who sends: the attributes of OpenTelemetry's resource. */
public final class Resource {
    private Resource() {}

    /** @param instance the name of this process to the control plane */
    public static Map<String, String> of(Settings settings, String instance) {
        Map<String, String> resource = new LinkedHashMap<>();
        resource.put("service.name", settings.service().orElse("unknown_service:java"));
        resource.put("service.namespace", settings.mesh());
        resource.put("service.instance.id", instance);
        resource.put("telemetry.distro.name", "weft");
        resource.put("telemetry.distro.version", AgentVersion.get());
        return resource;
    }
}
