package io.weft.it.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.controlplane.ControlPlane;
import io.weft.controlplane.registry.Registry;
import io.weft.policy.PolicyClientConfig;
import io.weft.policy.xds.TransportLimits;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What the embedded control plane waits for and what an agent takes, each decided on its own side. */
class ReconnectTest {

    private static final TransportLimits AGENT = TransportLimits.DEFAULT;

    /** An attempt that began when nobody answered yet, the longest pause, and the attempt that succeeds. */
    @Test
    void whoeverARestartRemembersHasTheTimeToComeBack() {
        Duration comingBack = AGENT.setup().plus(PolicyClientConfig.MAX_BACKOFF).plus(AGENT.setup());
        assertThat(Registry.RETURN).isGreaterThan(comingBack);
    }

    /** Where packets are lost both sides find out by themselves, the control plane first. */
    @Test
    void whoeverWasCutOffIsGivenUpNoSoonerThanItCanHaveComeBack() {
        Duration noticed = AGENT.keepaliveIdle().plus(AGENT.keepaliveTimeout());
        Duration back = noticed.plus(PolicyClientConfig.INITIAL_BACKOFF).plus(AGENT.setup());
        Duration givenUp = ControlPlane.KEEPALIVE.plus(ControlPlane.KEEPALIVE_TIMEOUT).plus(ControlPlane.Settings.DEFAULT_GRACE);
        assertThat(givenUp).isGreaterThan(back);
    }
}
