package io.weft.controlplane.registry;

import io.envoyproxy.envoy.config.core.v3.Node;
import io.weft.controlplane.policy.Dataplane;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who is there. A data plane is registered for as long as its stream lives. If the stream breaks it becomes unhealthy, and is
 * removed after the grace: its neighbours' panic threshold then decides whether this control plane or the data plane is the
 * one that was cut off. One that closes its stream in good order is removed at once.
 *
 * <p>The newest stream of a node id owns the registration; what becomes of an older one does not matter any more.
 *
 * <p>Thread-safe; the listener is called without a lock held, on the thread that made the change.
 */
public final class Registry {

    private static final Logger LOG = LoggerFactory.getLogger(Registry.class);

    private final Duration grace;
    private final Clock clock;
    private final ScheduledExecutorService scheduler;
    private final NodeReader reader;
    private final Runnable changed;
    private final Map<String, Registration> registrations = new HashMap<>();
    private boolean closed;

    public enum Health { HEALTHY, UNHEALTHY }

    /** A data plane and how it is. */
    public record Instance(Dataplane dataplane, Health health, Transport transport) {}

    /** What a data plane takes. */
    public enum Transport {
        /** There is no agent or proxy in front of the app that could take anything else. */
        PLAINTEXT,
        /** An agent or a proxy is there; it may not have all that it needs for mesh TLS yet. */
        UNREADY,
        /** Mesh TLS, if policy says so. */
        READY
    }

    /** A stream's identity; the later one is greater. */
    public record StreamId(long number) {}

    /** @param owner empty: its stream broke, or it was restored and has not come back yet */
    private record Registration(
            ClientNode node,
            Optional<String> resource,
            Optional<StreamId> owner,
            Health health,
            boolean secured,
            Optional<Instant> expires) {}

    public Registry(
            NodeReader reader, Duration grace, Clock clock, ScheduledExecutorService scheduler, Runnable changed) {
        this.reader = reader;
        this.grace = grace;
        this.clock = clock;
        this.scheduler = scheduler;
        this.changed = changed;
    }

    /** What a node says of itself. */
    public ClientNode read(Node node) throws NodeReader.InvalidNodeException {
        return reader.read(node);
    }

    /** A node was seen on a stream, for the first time or changed. */
    public void register(StreamId stream, ClientNode client, Optional<String> resource) {
        synchronized (this) {
            Registration old = registrations.get(client.id());
            boolean newer = old == null || old.owner().map(owner -> owner.number() <= stream.number()).orElse(true);
            if (!newer || closed) {
                return;
            }
            // One that comes back is as it was until its stream says more.
            boolean secured = old != null && old.secured();
            registrations.put(
                    client.id(),
                    new Registration(client, resource, Optional.of(stream), Health.HEALTHY, secured, Optional.empty()));
        }
        changed.run();
    }

    /** Whether anyone else has registered under this id. */
    public synchronized Optional<ClientNode> holder(String nodeId) {
        return Optional.ofNullable(registrations.get(nodeId)).map(Registration::node);
    }

    /** The stream's data plane takes mesh TLS from now on, or no longer. */
    public void secured(StreamId stream, String nodeId, boolean secured) {
        synchronized (this) {
            if (!owns(stream, nodeId) || registrations.get(nodeId).secured() == secured) {
                return;
            }
            Registration old = registrations.get(nodeId);
            registrations.put(
                    nodeId,
                    new Registration(old.node(), old.resource(), old.owner(), old.health(), secured, old.expires()));
        }
        changed.run();
    }

    /** The stream ended in good order. */
    public void leave(StreamId stream, String nodeId) {
        synchronized (this) {
            if (!owns(stream, nodeId)) {
                return;
            }
            registrations.remove(nodeId);
        }
        LOG.info("{} left", nodeId);
        changed.run();
    }

    /** The stream broke. */
    public void lose(StreamId stream, String nodeId) {
        synchronized (this) {
            if (!owns(stream, nodeId)) {
                return;
            }
            Registration old = registrations.get(nodeId);
            boolean serves = old.node().dataplane().map(dataplane -> !dataplane.inbounds().isEmpty()).orElse(false);
            if (!serves) {
                // Nobody calls it, so nobody has to be told.
                registrations.remove(nodeId);
                return;
            }
            registrations.put(
                    nodeId,
                    new Registration(
                            old.node(), old.resource(), Optional.empty(), Health.UNHEALTHY, old.secured(),
                            Optional.of(expiry())));
            expireLater();
        }
        LOG.info("the stream of {} broke; it is unhealthy now and will be removed in {} unless it comes back", nodeId, grace);
        changed.run();
    }

    private boolean owns(StreamId stream, String nodeId) {
        Registration registration = registrations.get(nodeId);
        return !closed && registration != null && registration.owner().equals(Optional.of(stream));
    }

    private Instant expiry() {
        return clock.instant().plus(grace);
    }

    private void expireLater() {
        scheduler.schedule(this::expire, grace.toMillis() + 1, TimeUnit.MILLISECONDS);
    }

    private void expire() {
        List<String> expired = new ArrayList<>();
        synchronized (this) {
            if (closed) {
                return;
            }
            Instant now = clock.instant();
            registrations.values().removeIf(registration -> {
                boolean over = registration.expires().map(instant -> !instant.isAfter(now)).orElse(false);
                if (over) {
                    expired.add(registration.node().id());
                }
                return over;
            });
        }
        if (!expired.isEmpty()) {
            LOG.info("removed, not seen for {}: {}", grace, expired);
            changed.run();
        }
    }

    /** The data planes of a mesh, in a stable order. */
    public synchronized List<Instance> instances(String mesh) {
        Map<String, Instance> instances = new TreeMap<>();
        registrations.values().forEach(registration -> {
            if (registration.node().mesh().equals(mesh)) {
                registration.node().dataplane().ifPresent(dataplane -> instances.put(
                        registration.node().id(),
                        new Instance(
                                dataplane,
                                registration.health(),
                                registration.secured() ? Transport.READY : Transport.UNREADY)));
            }
        });
        return List.copyOf(instances.values());
    }

    /** What a restart needs. */
    public synchronized List<SavedRegistration> save() {
        Map<String, SavedRegistration> saved = new TreeMap<>();
        registrations.values().forEach(registration -> registration.resource().ifPresent(resource -> {
            ClientNode node = registration.node();
            saved.put(node.id(), new SavedRegistration(
                    node.id(), node.service(), node.kind(), resource, registration.health(), registration.secured()));
        }));
        return List.copyOf(saved.values());
    }

    /** Takes over what an earlier life saved, each until the grace is over or its stream is back. */
    public void restore(List<SavedRegistration> saved) {
        synchronized (this) {
            for (SavedRegistration registration : saved) {
                try {
                    ClientNode node = reader.read(
                            registration.id(),
                            registration.service(),
                            registration.kind(),
                            Optional.of(registration.resource()),
                            new ClientNode.Binding("127.0.0.1", Map.of()),
                            false);
                    registrations.putIfAbsent(
                            node.id(),
                            new Registration(
                                    node,
                                    Optional.of(registration.resource()),
                                    Optional.empty(),
                                    registration.health(),
                                    registration.secured(),
                                    Optional.of(expiry())));
                } catch (NodeReader.InvalidNodeException e) {
                    LOG.warn("a saved registration is not restored: {}", e.getMessage());
                }
            }
            expireLater();
        }
        changed.run();
    }

    /** From now on ending streams change nothing: it is this control plane that goes, not they. */
    public synchronized void close() {
        closed = true;
    }
}
