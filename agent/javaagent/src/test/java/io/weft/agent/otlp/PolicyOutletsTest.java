package io.weft.agent.otlp;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.agent.log.AgentLog;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.TelemetryService;
import io.weft.policy.model.TelemetryTarget;
import java.io.ByteArrayOutputStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** For how long spans stay with a collector. */
class PolicyOutletsTest {
    private static final TelemetryService SERVICE = new TelemetryService("collector", Optional.empty());

    private final AgentLog log = AgentLog.to(AgentLog.Level.WARN, new ByteArrayOutputStream());
    private final Map<TelemetryService, TelemetryTarget> policy = new HashMap<>();
    private final PolicyOutlets outlets = new PolicyOutlets(
            service -> Optional.ofNullable(policy.get(service)),
            target -> new Outlet((signal, json) -> Optional.empty(), Signal.TRACES, "a test", log));

    private static TelemetryTarget at(String... hosts) {
        return new TelemetryTarget(List.of(hosts).stream().map(host -> new HostPort(host, 4317)).toList(), false, Optional.empty());
    }

    private Outlet chosen() {
        return outlets.of(SERVICE).orElseThrow();
    }

    @Test
    void aCollectorStaysForAsLongAsPolicyLeadsToTheSameAddresses() {
        policy.put(SERVICE, at("10.0.0.1", "10.0.0.2"));
        Outlet first = chosen();
        policy.put(SERVICE, at("10.0.0.2", "10.0.0.1"));
        assertThat(chosen()).isSameAs(first);

        policy.put(SERVICE, at("10.0.0.1"));
        assertThat(chosen()).isNotSameAs(first);
    }

    @Test
    void whatIsNotThereHasNone() {
        assertThat(outlets.of(SERVICE)).isEmpty();
        policy.put(SERVICE, at("10.0.0.1"));
        Outlet first = chosen();
        policy.clear();
        assertThat(outlets.of(SERVICE)).isEmpty();
        policy.put(SERVICE, at("10.0.0.1"));
        assertThat(chosen()).isNotSameAs(first);
    }
}
