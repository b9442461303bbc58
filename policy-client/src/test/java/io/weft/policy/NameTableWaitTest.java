package io.weft.policy;

import static io.weft.policy.Resources.assignment;
import static io.weft.policy.Resources.cluster;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weft.policy.identity.IdentityConfig;
import io.weft.policy.parse.ResourceType;
import io.weft.policy.xds.Environment;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Of Istio, a service that has only a listener on an address of its own is in the mesh by its name table alone. */
class NameTableWaitTest {
    private static final Duration LONG = Duration.ofHours(1);

    private final ServedPolicy policy = ServedPolicy.of("orders", 1001).withhold(ResourceType.NAMES);

    private static ClientUnderTest istio(URI controlPlane, Duration laterWait) {
        PolicyClientConfig config = new PolicyClientConfig(
                controlPlane, Dialect.ISTIO, Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), IdentityConfig.REQUESTED,
                ClientUnderTest.INITIAL_BACKOFF, ClientUnderTest.MAX_BACKOFF);
        Environment environment = ClientUnderTest.environment();
        return new ClientUnderTest(config, new Environment(
                environment.clock(), environment.random(), environment.limits(), LONG, laterWait,
                environment.certificateWait(), environment.deltaRetry()));
    }

    private boolean isAcknowledged(ResourceType type) {
        return policy.deltaRequests().stream()
                .anyMatch(request -> request.getTypeUrl().equals(type.typeUrl()) && !request.getResponseNonce().isEmpty());
    }

    @Test
    void theFirstPolicyWaitsForIt() {
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(policy.script());
                ClientUnderTest under = istio(controlPlane.uri(), LONG)) {
            await().until(() -> isAcknowledged(ResourceType.ROUTES) && isAcknowledged(ResourceType.ENDPOINTS));
            assertThat(under.snapshots).isEmpty();
            policy.release(ResourceType.NAMES);
            under.awaitCluster("orders");
        }
    }

    @Test
    void butNotForLongAndNoLaterOneDoes() {
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(policy.script());
                ClientUnderTest under = istio(controlPlane.uri(), Duration.ofMillis(100))) {
            under.awaitCluster("orders");
            policy.put(cluster("users"));
            policy.put(assignment("users", 1002));
            policy.push();
            under.awaitCluster("users");
        }
    }
}
