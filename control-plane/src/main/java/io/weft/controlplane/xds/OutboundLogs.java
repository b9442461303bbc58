package io.weft.controlplane.xds;

import io.envoyproxy.envoy.config.accesslog.v3.AccessLog;
import io.envoyproxy.envoy.config.accesslog.v3.AccessLogFilter;
import io.envoyproxy.envoy.config.accesslog.v3.HeaderFilter;
import io.envoyproxy.envoy.config.route.v3.HeaderMatcher;
import io.envoyproxy.envoy.type.matcher.v3.RegexMatcher;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import io.weft.controlplane.policy.MeshAccessLog;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.service.Service;
import io.weft.controlplane.xds.policy.AccessLogTranslator;
import io.weft.controlplane.xds.policy.AccessLogTranslator.Placeholders;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What is logged of the requests that go out to one port. Kuma has a listener for each service; here they share one, so that a log of
 * some is told by the host that was asked for. Where the same holds for all of them there is one log, which names the host in
 * place of the service: a thousand filters would cost each request more than the log. Not thread-safe.
 */
final class OutboundLogs {

    static final OutboundLogs NONE = new OutboundLogs();

    private final List<Logged> services = new ArrayList<>();

    private record Logged(Service service, List<String> domains, Optional<MeshAccessLog> log) {}

    /** @param domains under which it is called */
    void add(Service service, List<String> domains, Optional<MeshAccessLog> log) {
        services.add(new Logged(service, List.copyOf(domains), log));
    }

    boolean isEmpty() {
        return services.stream().allMatch(each -> each.log.isEmpty());
    }

    List<AccessLog> of(ClientNode node) {
        if (isEmpty()) {
            return List.of();
        }
        boolean same = services.stream().allMatch(each -> each.log.equals(services.get(0).log));
        if (same) {
            String destination = services.size() == 1 ? services.get(0).service.name() : "%REQ(:AUTHORITY)%";
            return AccessLogTranslator.logs(
                    services.get(0).log.orElseThrow(), true, placeholders(node, destination), Optional.empty());
        }
        List<AccessLog> logs = new ArrayList<>();
        for (Logged each : services) {
            each.log.ifPresent(log -> logs.addAll(AccessLogTranslator.logs(
                    log, true, placeholders(node, each.service.name()), Optional.of(asks(each.domains)))));
        }
        return logs;
    }

    private static Placeholders placeholders(ClientNode node, String destination) {
        return new Placeholders(
                node.mesh(),
                node.zone(),
                node.dataplane().map(dataplane -> dataplane.address()).orElse("127.0.0.1"),
                node.workload().service(),
                destination,
                "OUTBOUND");
    }

    private static AccessLogFilter asks(List<String> domains) {
        String regex = domains.stream()
                .map(domain -> domain.replace(".", "\\."))
                .collect(Collectors.joining("|", "(?i)(", ")(:[0-9]+)?"));
        return AccessLogFilter.newBuilder()
                .setHeaderFilter(HeaderFilter.newBuilder()
                        .setHeader(HeaderMatcher.newBuilder()
                                .setName(":authority")
                                .setStringMatch(StringMatcher.newBuilder()
                                        .setSafeRegex(RegexMatcher.newBuilder().setRegex(regex)))))
                .build();
    }
}
