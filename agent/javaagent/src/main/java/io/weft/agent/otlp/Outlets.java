package io.weft.agent.otlp;

import io.weft.agent.log.AgentLog;
import io.weft.agent.mesh.Background;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.TelemetryTarget;
import java.net.URI;

/** Makes outlets to where settings or policy say that telemetry goes. */
public record Outlets(Background background, AgentLog log) {

    public Outlet toSetting(URI endpoint, Signal signal) {
        return new Outlet(new Collector(endpoint, background), signal, "weft.otlp.endpoint", log);
    }

    /** @param from for people */
    public Outlet toPolicy(TelemetryTarget target, Signal signal, String from) {
        Receiver receiver = target.path().isPresent()
                ? new Collector(endpoint(target, signal), background)
                : new GrpcCollector(target.address(), target.tls());
        return new Outlet(receiver, signal, from, log);
    }

    /** Policy says the whole path, and settings what comes before the signal's own. */
    private static URI endpoint(TelemetryTarget target, Signal signal) {
        HostPort address = target.address();
        String path = target.path().orElseThrow();
        String base = path.endsWith(signal.path()) ? path.substring(0, path.length() - signal.path().length()) : path;
        return URI.create((target.tls() ? "https://" : "http://") + address + base);
    }
}
