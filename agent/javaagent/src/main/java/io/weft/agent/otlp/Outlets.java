package io.weft.agent.otlp;

import io.weft.agent.log.AgentLog;
import io.weft.agent.mesh.Background;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.TelemetryTarget;
import java.net.URI;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/** Makes outlets to where settings or policy say that telemetry goes. */
public record Outlets(Background background, AgentLog log) {

    /** Settings say what comes before the signal's own path. */
    public Outlet toSetting(URI endpoint, Signal signal) {
        String base = endpoint.toString();
        URI url = URI.create((base.endsWith("/") ? base.substring(0, base.length() - 1) : base) + signal.path());
        return new Outlet(new Collector(url, background), signal, "weft.otlp.endpoint", log);
    }

    /**
     * Policy says the whole path.
     *
     * @param from for people
     */
    public Outlet toPolicy(TelemetryTarget target, Signal signal, String from) {
        List<Receiver> receivers = target.addresses().stream().map(address -> receiver(target, address)).toList();
        // So that not all agents begin with the same one.
        int begin = ThreadLocalRandom.current().nextInt(receivers.size());
        return new Outlet(receivers.size() == 1 ? receivers.get(0) : new FirstThatAnswers(receivers, begin), signal, from, log);
    }

    private Receiver receiver(TelemetryTarget target, HostPort address) {
        return target.path().isPresent()
                ? new Collector(URI.create((target.tls() ? "https://" : "http://") + address + target.path().get()), background)
                : new GrpcCollector(address, target.tls());
    }
}
