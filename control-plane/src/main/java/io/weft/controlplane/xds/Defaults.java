package io.weft.controlplane.xds;

import com.google.protobuf.Duration;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.CircuitBreakers;
import io.envoyproxy.envoy.config.cluster.v3.OutlierDetection;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy;

/** What holds where no policy says otherwise: the policies that Kuma creates with a mesh, where not said otherwise. */
final class Defaults {

    static final Duration CONNECT_TIMEOUT = Durations.fromSeconds(5);
    static final Duration REQUEST_TIMEOUT = Durations.fromSeconds(15);
    static final Duration INBOUND_CONNECT_TIMEOUT = Durations.fromSeconds(10);

    /**
     * Kuma's per-try timeout of 16 s is left out: the request's own timeout always comes first. Another host is looked for
     * at each attempt, which Kuma leaves to chance.
     */
    static final RetryPolicy RETRY = RetryPolicy.newBuilder()
            .setRetryOn("gateway-error,connect-failure,refused-stream")
            .setNumRetries(UInt32Value.of(5))
            .setRetryBackOff(RetryPolicy.RetryBackOff.newBuilder()
                    .setBaseInterval(Durations.fromMillis(25))
                    .setMaxInterval(Durations.fromMillis(250)))
            .addRetryHostPredicate(RetryPolicy.RetryHostPredicate.newBuilder()
                    .setName("envoy.retry_host_predicates.previous_hosts")
                    .setTypedConfig(Versioned.of(
                                    "",
                                    io.envoyproxy.envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate
                                            .getDefaultInstance())
                            .message()))
            .setHostSelectionRetryMaxAttempts(5)
            .build();

    /**
     * An instance that refuses connections is left alone for a while. Errors that it answers itself do not count: with few
     * instances that takes down what still works.
     */
    static final OutlierDetection OUTLIER_DETECTION = OutlierDetection.newBuilder()
            .setSplitExternalLocalOriginErrors(true)
            .setConsecutiveLocalOriginFailure(UInt32Value.of(3))
            .setEnforcingConsecutiveLocalOriginFailure(UInt32Value.of(100))
            .setEnforcingLocalOriginSuccessRate(UInt32Value.of(0))
            .setEnforcingConsecutive5Xx(UInt32Value.of(0))
            .setEnforcingConsecutiveGatewayFailure(UInt32Value.of(0))
            .setEnforcingSuccessRate(UInt32Value.of(0))
            .setInterval(Durations.fromSeconds(1))
            .setBaseEjectionTime(Durations.fromSeconds(5))
            .setMaxEjectionTime(Durations.fromSeconds(30))
            .setMaxEjectionPercent(UInt32Value.of(50))
            .build();

    /**
     * More retries at once than Kuma's 3: when an instance dies, all requests that were bound for it are retried in the same
     * moment, and what exceeds the limit fails.
     */
    static final CircuitBreakers CIRCUIT_BREAKERS = CircuitBreakers.newBuilder()
            .addThresholds(CircuitBreakers.Thresholds.newBuilder()
                    .setMaxConnections(UInt32Value.of(1024))
                    .setMaxPendingRequests(UInt32Value.of(1024))
                    .setMaxRequests(UInt32Value.of(1024))
                    .setMaxRetries(UInt32Value.of(128)))
            .build();

    private Defaults() {}
}
