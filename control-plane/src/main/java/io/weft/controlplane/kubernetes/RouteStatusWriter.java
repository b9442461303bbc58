package io.weft.controlplane.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.RouteParentStatus;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes what is to be said of routes, and only if it is not said yet. Each replica would write the same: the one whose write comes
 * second is refused by the API server for the version that it has read, and then finds nothing to write. Thread-safe.
 */
final class RouteStatusWriter {

    private static final Logger LOG = LoggerFactory.getLogger(RouteStatusWriter.class);
    private static final int CONFLICT = 409;

    private final KubernetesClient client;
    private final Executor executor;
    private final Clock clock;
    private final Set<String> underWay = ConcurrentHashMap.newKeySet();
    private volatile boolean failing;

    RouteStatusWriter(KubernetesClient client, Executor executor, Clock clock) {
        this.client = client;
        this.executor = executor;
        this.clock = clock;
    }

    void settle(List<RouteStatus> statuses) {
        for (RouteStatus status : statuses) {
            String name = status.route().getKind() + " " + ObjectName.of(status.route());
            if (!differs(status) || !underWay.add(name)) {
                continue;
            }
            try {
                executor.execute(() -> {
                    try {
                        write(status);
                        failing = false;
                    } catch (KubernetesClientException e) {
                        if (e.getCode() != CONFLICT && !failing) {
                            LOG.warn("the status of {} cannot be written ({}); it is in force all the same", name, e.getMessage());
                            failing = true;
                        }
                    } finally {
                        underWay.remove(name);
                    }
                });
            } catch (RejectedExecutionException e) {
                underWay.remove(name);
            }
        }
    }

    private boolean differs(RouteStatus status) {
        try {
            return status.next(status.route(), now()).isPresent();
        } catch (RuntimeException e) {
            LOG.error("what is to be said of {} is not known; it is in force all the same. Please report this",
                    ObjectName.of(status.route()), e);
            return false;
        }
    }

    private void write(RouteStatus status) {
        HasMetadata current = client.resource(status.route()).get();
        if (current == null) {
            return;
        }
        Optional<List<RouteParentStatus>> next = status.next(current, now());
        if (next.isPresent()) {
            RouteStatus.say(current, next.get());
            client.resource(current).updateStatus();
        }
    }

    private String now() {
        return clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
    }
}
