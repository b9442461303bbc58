package io.weft.controlplane.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.RouteParentStatus;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes what is to be said of routes, and only if it is not said yet. Each replica would write the same: the one whose write comes
 * second is refused by the API server for the version that it has read, looks again, and then finds nothing to write. What another
 * controller has written meanwhile makes nobody look at the route again, so that here it is done at once. Thread-safe.
 */
final class RouteStatusWriter {

    private static final Logger LOG = LoggerFactory.getLogger(RouteStatusWriter.class);
    private static final int CONFLICT = 409;
    private static final int ATTEMPTS = 5;

    private final KubernetesClient client;
    private final Executor executor;
    private final Clock clock;
    /** By route, what has not been written, the last of each. */
    private final Map<String, RouteStatus> wanted = new ConcurrentHashMap<>();
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
            if (differs(status)) {
                wanted.put(name, status);
                begin(name);
            } else {
                wanted.remove(name);
            }
        }
    }

    /** What could not be written is tried again: to be called now and then. */
    void retry() {
        wanted.keySet().forEach(this::begin);
    }

    private void begin(String name) {
        if (!underWay.add(name)) {
            return;
        }
        try {
            executor.execute(() -> work(name));
        } catch (RejectedExecutionException e) {
            underWay.remove(name);
        }
    }

    private void work(String name) {
        boolean written = false;
        try {
            for (RouteStatus status = wanted.get(name); status != null; status = wanted.get(name)) {
                write(status);
                wanted.remove(name, status);
            }
            failing = false;
            written = true;
        } catch (KubernetesClientException e) {
            if (e.getCode() != CONFLICT && !failing) {
                LOG.warn("the status of {} cannot be written ({}); it is in force all the same, and it is tried again", name, e.getMessage());
                failing = true;
            }
        } finally {
            underWay.remove(name);
        }
        // It came after the last look, when this was still under way.
        if (written && wanted.containsKey(name)) {
            begin(name);
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
        for (int attempt = 1; ; attempt++) {
            HasMetadata current = client.resource(status.route()).get();
            // Of a later version the watch tells, and what is to be said of that.
            if (current == null || !isSame(current, status.route())) {
                return;
            }
            Optional<List<RouteParentStatus>> next = status.next(current, now());
            if (next.isEmpty()) {
                return;
            }
            RouteStatus.say(current, next.get());
            try {
                client.resource(current).updateStatus();
                return;
            } catch (KubernetesClientException e) {
                if (e.getCode() != CONFLICT || attempt == ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    private static boolean isSame(HasMetadata current, HasMetadata read) {
        return Objects.equals(current.getMetadata().getUid(), read.getMetadata().getUid())
                && Objects.equals(current.getMetadata().getGeneration(), read.getMetadata().getGeneration());
    }

    private String now() {
        return clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
    }
}
