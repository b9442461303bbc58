package io.weft.controlplane.xds;

import com.google.protobuf.Duration;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.OutlierDetection;

/** What holds where no policy says anything, not even {@link io.weft.controlplane.policy.InitialPolicies}. */
final class Defaults {

    static final Duration CONNECT_TIMEOUT = Durations.fromSeconds(5);
    static final Duration REQUEST_TIMEOUT = Durations.fromSeconds(15);
    static final Duration INBOUND_CONNECT_TIMEOUT = Durations.fromSeconds(10);

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

    private Defaults() {}
}
