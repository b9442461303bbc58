package io.weft.controlplane.xds.policy;

import io.envoyproxy.envoy.extensions.filters.common.fault.v3.FaultDelay;
import io.envoyproxy.envoy.extensions.filters.common.fault.v3.FaultRateLimit;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.FaultAbort;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.HTTPFault;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.weft.controlplane.policy.MeshFaultInjection;
import io.weft.controlplane.policy.MeshFaultInjection.Fault;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.service.InboundRules.Said;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** {@code MeshFaultInjection}: a filter for each fault of each rule. */
public final class FaultTranslator {

    private static final String FILTER = "envoy.filters.http.fault";

    /** @param names the name of a policy's filters */
    public static List<HttpFilter> filters(List<Said<MeshFaultInjection>> rules, Function<Metadata, String> names) {
        List<HttpFilter> filters = new ArrayList<>();
        for (Said<MeshFaultInjection> rule : rules) {
            for (Fault fault : rule.conf().faults()) {
                filters.add(CallerMatcher.filter(
                        names.apply(rule.policy()), FILTER, fault(fault), rule.caller(), List.of()));
            }
        }
        return filters;
    }

    private static HTTPFault fault(Fault fault) {
        HTTPFault.Builder builder = HTTPFault.newBuilder();
        fault.abort().ifPresent(abort -> builder.setAbort(FaultAbort.newBuilder()
                .setHttpStatus(abort.status())
                .setPercentage(Values.fraction(abort.percentage()))));
        fault.delay().ifPresent(delay -> builder.setDelay(FaultDelay.newBuilder()
                .setFixedDelay(Values.duration(delay.value()))
                .setPercentage(Values.fraction(delay.percentage()))));
        fault.bandwidth().ifPresent(bandwidth -> builder.setResponseRateLimit(FaultRateLimit.newBuilder()
                .setFixedLimit(FaultRateLimit.FixedLimit.newBuilder().setLimitKbps(bandwidth.kilobitsPerSecond()))
                .setPercentage(Values.fraction(bandwidth.percentage()))));
        return builder.build();
    }

    private FaultTranslator() {}
}
