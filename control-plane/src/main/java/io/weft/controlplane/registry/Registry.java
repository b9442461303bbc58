package io.weft.controlplane.registry;

import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.token.Proof;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who is there. A data plane is registered for as long as its stream lives. If the stream breaks it becomes unhealthy, and is
 * removed after the grace: its neighbours' panic threshold then decides whether this control plane or the data plane is the
 * one that was cut off. One that closes its stream in good order is removed at once.
 *
 * <p>The newest stream of a node id is the one that counts. An older one that speaks for the same addresses is the same data plane's,
 * before it came back; one that speaks for others is another data plane's with the same id, and counts again when the newer one ends.
 *
 * <p>Thread-safe; the listener is called without a lock held, on the thread that made the change.
 */
public final class Registry {

    private static final Logger LOG = LoggerFactory.getLogger(Registry.class);

    /**
     * How long the data planes that a restart remembers get to come back: as long as an agent may take, with the attempt that is under
     * way, the longest pause and another attempt, and some more.
     */
    public static final Duration RETURN = Duration.ofSeconds(45);

    private final Duration grace;
    private final LongSupplier nanoTime;
    private final ScheduledExecutorService scheduler;
    private final NodeReader reader;
    private final Runnable changed;
    private final Map<String, Registration> registrations = new HashMap<>();
    /** How many each has. */
    private final Map<Proof, Integer> owned = new HashMap<>();
    /** The next look for what has expired, and when that is. */
    private ScheduledFuture<?> expiry;
    private long expiryDue;
    private boolean closed;

    public enum Health { HEALTHY, UNHEALTHY }

    /**
     * A data plane and how it is.
     *
     * @param secured those of its inbounds that take mesh TLS, if policy says so; absent: there is no agent or proxy in front of the app
     *     that could take anything else than plaintext
     */
    public record Instance(Dataplane dataplane, Health health, Optional<Set<ClientNode.Address>> secured) {
        public Instance {
            secured = secured.map(Set::copyOf);
        }

        public static Instance inPlaintext(Dataplane dataplane, Health health) {
            return new Instance(dataplane, health, Optional.empty());
        }

        public Transport transport(Dataplane.Inbound inbound) {
            return secured.map(those -> those.contains(ClientNode.Address.of(inbound)) ? Transport.READY : Transport.UNREADY)
                    .orElse(Transport.PLAINTEXT);
        }
    }

    /** What an inbound takes. */
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

    /**
     * Whether a data plane may be registered.
     *
     * @param <E> it may not
     */
    public interface Gate<E extends Exception> {

        /** Its id is taken. */
        void succeeds(ClientNode holder) throws E;

        /** There are so many others of the same owner. */
        void joins(int others) throws E;
    }

    /**
     * What a stream says of its data plane.
     *
     * @param secured those of its inbounds that take mesh TLS
     */
    private record Claim(ClientNode node, Optional<String> resource, Set<ClientNode.Address> secured) {

        private Claim {
            secured = Set.copyOf(secured);
        }

        /** The same with those of these inbounds that it has. */
        Claim secured(Set<ClientNode.Address> those) {
            Set<ClientNode.Address> own = addresses();
            own.retainAll(those);
            return new Claim(node, resource, own);
        }

        boolean serves() {
            return node.dataplane().map(dataplane -> !dataplane.inbounds().isEmpty()).orElse(false);
        }

        /** Two that would be reached under the same addresses are one. */
        boolean sameAs(Claim other) {
            return addresses().equals(other.addresses());
        }

        private Set<ClientNode.Address> addresses() {
            return node.addresses();
        }
    }

    /** What is known under one id; guarded by the registry. */
    private static final class Registration {
        /** Those of streams that are alive, by stream; the last one counts. */
        private final NavigableMap<Long, Claim> live = new TreeMap<>();
        /** The last of the live ones; if there are none, what is remembered. */
        private Claim current;
        private Health health = Health.HEALTHY;
        /** In terms of {@code nanoTime}; empty: it does not expire. */
        private OptionalLong expires = OptionalLong.empty();
        /** Whose it is by the last proof; empty: nobody has proved anything. */
        private Optional<Proof> owner = Optional.empty();

        private Registration(Claim current) {
            this.current = current;
        }

        private boolean isNewest(StreamId stream) {
            return !live.isEmpty() && live.lastKey() == stream.number();
        }

        private void settle() {
            current = live.lastEntry().getValue();
            health = Health.HEALTHY;
            expires = OptionalLong.empty();
        }
    }

    /** @param nanoTime as {@link System#nanoTime()}: the time of day may be set */
    public Registry(
            NodeReader reader,
            Duration grace,
            LongSupplier nanoTime,
            ScheduledExecutorService scheduler,
            Runnable changed) {
        this.reader = reader;
        this.grace = grace;
        this.nanoTime = nanoTime;
        this.scheduler = scheduler;
        this.changed = changed;
    }

    /** By which it reads what data planes say of themselves. */
    public NodeReader reader() {
        return reader;
    }

    /**
     * A node was seen on a stream, for the first time or changed.
     *
     * @param owner what its bearer has proved
     */
    public <E extends Exception> void register(
            StreamId stream, ClientNode client, Optional<String> resource, Optional<Proof> owner, Gate<E> gate) throws E {
        Optional<Claim> duplicate;
        synchronized (this) {
            Registration registration = registrations.get(client.id());
            if (registration != null) {
                gate.succeeds(registration.current.node());
            }
            if (owner.isPresent() && (registration == null || !registration.owner.equals(owner))) {
                gate.joins(owned.getOrDefault(owner.get(), 0));
            }
            if (closed) {
                return;
            }
            Claim claim = new Claim(client, resource, Set.of());
            if (registration == null) {
                registration = new Registration(claim);
                registrations.put(client.id(), registration);
            }
            own(registration, owner);
            // An inbound that was there before is as it was until the stream says more.
            claim = claim.secured(registration.live.getOrDefault(stream.number(), registration.current).secured());
            boolean first = !registration.live.containsKey(stream.number());
            if (!take(registration, stream, claim)) {
                return;
            }
            duplicate = first ? other(registration) : Optional.empty();
        }
        duplicate.ifPresent(other -> LOG.warn("two data planes call themselves {}, and only the one that came last is told to others:"
                + " give each a node.id of its own; the other one is at {}", client.id(), other.addresses()));
        changed.run();
    }

    private void own(Registration registration, Optional<Proof> owner) {
        if (!registration.owner.equals(owner)) {
            registration.owner.ifPresent(before -> owned.computeIfPresent(before, (key, number) -> number == 1 ? null : number - 1));
            owner.ifPresent(now -> owned.merge(now, 1, Integer::sum));
            registration.owner = owner;
        }
    }

    private void remove(String nodeId) {
        own(registrations.remove(nodeId), Optional.empty());
    }

    /** Whether it counts now. */
    private static boolean take(Registration registration, StreamId stream, Claim claim) {
        boolean superseded = registration.live.tailMap(stream.number(), false).values().stream().anyMatch(claim::sameAs);
        if (superseded) {
            registration.live.remove(stream.number());
            return false;
        }
        registration.live.put(stream.number(), claim);
        if (!registration.isNewest(stream)) {
            return false;
        }
        registration.live.headMap(stream.number(), false).values().removeIf(claim::sameAs);
        registration.settle();
        return true;
    }

    private static Optional<Claim> other(Registration registration) {
        return registration.live.size() < 2
                ? Optional.empty()
                : Optional.of(registration.live.lowerEntry(registration.live.lastKey()).getValue());
    }

    /** Of the stream's data plane these inbounds take mesh TLS from now on, and no others. */
    public void secured(StreamId stream, String nodeId, Set<ClientNode.Address> secured) {
        synchronized (this) {
            Registration registration = registrations.get(nodeId);
            Claim old = registration == null ? null : registration.live.get(stream.number());
            if (closed || old == null || old.secured().equals(secured)) {
                return;
            }
            registration.live.put(stream.number(), old.secured(secured));
            if (!registration.isNewest(stream)) {
                return;
            }
            registration.settle();
        }
        changed.run();
    }

    /** The stream ended in good order. */
    public void leave(StreamId stream, String nodeId) {
        synchronized (this) {
            Optional<Registration> last = end(stream, nodeId);
            if (last.isEmpty()) {
                return;
            }
            if (last.get().live.isEmpty()) {
                remove(nodeId);
            }
        }
        LOG.info("{} left", nodeId);
        changed.run();
    }

    /** The stream broke. */
    public void lose(StreamId stream, String nodeId) {
        synchronized (this) {
            Optional<Registration> last = end(stream, nodeId);
            if (last.isEmpty()) {
                return;
            }
            Registration registration = last.get();
            if (registration.live.isEmpty()) {
                if (!registration.current.serves()) {
                    // Nobody calls it, so nobody has to be told.
                    remove(nodeId);
                    return;
                }
                registration.health = Health.UNHEALTHY;
                limit(registration, grace);
                LOG.info("the stream of {} broke; it is unhealthy now and will be removed in {} s unless it comes back",
                        nodeId, grace.toMillis() / 1e3);
            }
        }
        changed.run();
    }

    /** The registration if the stream was the one that counted; the next older one that is alive, if any, counts now. */
    private Optional<Registration> end(StreamId stream, String nodeId) {
        Registration registration = registrations.get(nodeId);
        if (closed || registration == null) {
            return Optional.empty();
        }
        boolean newest = registration.isNewest(stream);
        registration.live.remove(stream.number());
        if (!newest) {
            return Optional.empty();
        }
        if (!registration.live.isEmpty()) {
            registration.settle();
            LOG.info("{} is the one at {} again", nodeId, registration.current.addresses());
        }
        return Optional.of(registration);
    }

    private void limit(Registration registration, Duration after) {
        long due = nanoTime.getAsLong() + after.toNanos();
        registration.expires = OptionalLong.of(due);
        lookAt(due);
    }

    private void lookAt(long due) {
        if (expiry != null) {
            if (expiryDue - due <= 0) {
                return;
            }
            expiry.cancel(false);
        }
        expiryDue = due;
        expiry = scheduler.schedule(this::removeExpired, Math.max(0, due - nanoTime.getAsLong()), TimeUnit.NANOSECONDS);
    }

    private void removeExpired() {
        List<String> expired = new ArrayList<>();
        synchronized (this) {
            expiry = null;
            if (closed) {
                return;
            }
            long now = nanoTime.getAsLong();
            registrations.forEach((id, registration) -> registration.expires.ifPresent(due -> {
                if (due - now <= 0) {
                    expired.add(id);
                }
            }));
            expired.forEach(this::remove);
            // The scheduler's clock need not be ours: whatever is left is looked at again.
            registrations.values().forEach(registration -> registration.expires.ifPresent(this::lookAt));
        }
        if (!expired.isEmpty()) {
            LOG.info("removed, they did not come back: {}", expired);
            changed.run();
        }
    }

    /** The data planes of a mesh, in a stable order. */
    public synchronized List<Instance> instances(String mesh) {
        Map<String, Instance> instances = new TreeMap<>();
        registrations.forEach((id, registration) -> {
            Claim current = registration.current;
            if (current.node().mesh().equals(mesh)) {
                current.node().dataplane().ifPresent(dataplane -> instances.put(
                        id, new Instance(dataplane, registration.health, Optional.of(current.secured()))));
            }
        });
        return List.copyOf(instances.values());
    }

    /** What a restart needs. */
    public synchronized List<SavedRegistration> save() {
        Map<String, SavedRegistration> saved = new TreeMap<>();
        registrations.forEach((id, registration) -> registration.current.resource().ifPresent(resource -> {
            ClientNode node = registration.current.node();
            Set<ClientNode.Address> secured = registration.current.secured();
            Set<ClientNode.Address> unready = registration.current.addresses();
            unready.removeAll(secured);
            saved.put(id, new SavedRegistration(
                    id, node.service(), node.kind(), resource, registration.health, !secured.isEmpty(), unready));
        }));
        return List.copyOf(saved.values());
    }

    /** Takes over what an earlier life saved. */
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
                    Set<ClientNode.Address> secured = registration.secured() ? node.addresses() : new HashSet<>();
                    secured.removeAll(registration.unready());
                    Registration restored =
                            new Registration(new Claim(node, Optional.of(registration.resource()), secured));
                    restored.health = registration.health();
                    registrations.putIfAbsent(node.id(), restored);
                } catch (NodeReader.InvalidNodeException e) {
                    LOG.warn("a saved registration is not restored: {}", e.getMessage());
                }
            }
        }
        changed.run();
    }

    /** From now on data planes can connect: those that were restored have {@link #RETURN}, or the grace if that is longer. */
    public synchronized void open() {
        Duration time = grace.compareTo(RETURN) > 0 ? grace : RETURN;
        registrations.values().forEach(registration -> {
            if (registration.live.isEmpty() && registration.expires.isEmpty()) {
                limit(registration, time);
            }
        });
    }

    /** From now on ending streams change nothing: it is this control plane that goes, not they. */
    public synchronized void close() {
        closed = true;
    }
}
