package io.weft.dataplane;

import io.weft.dataplane.InboundPorts.PortInfo;
import io.weft.dataplane.route.PortTable;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** What becomes of what comes in to a port that the policy in force does not name. Thread-safe; an answer allocates nothing. */
final class UnnamedPorts {

    /** For how much longer than else a policy is waited for that may be on a disk that is slow. */
    static final long READING_NANOS = 30_000_000_000L;

    enum Verdict { OPEN, HELD, CLOSED }

    private record Known(boolean ofService, long heldUntil) {}

    private final Supplier<Policy> policy;
    private final BooleanSupplier warming;
    private final NanoClock clock;
    private final Notices notices;
    private volatile boolean diskRead;
    private volatile InboundGuard guard = InboundGuard.NONE;
    /** Written under the lock, as is the map. */
    private volatile PortTable<Known> table = new PortTable<>(Map.of());
    private final Map<Integer, Known> known = new HashMap<>();

    /**
     * @param policy gives null before the first
     * @param warming a policy has come that is about to be put in force
     */
    UnnamedPorts(Supplier<Policy> policy, BooleanSupplier warming, NanoClock clock, Notices notices) {
        this.notices = notices;
        this.policy = policy;
        this.warming = warming;
        this.clock = clock;
    }

    void guard(InboundGuard by) {
        guard = by;
    }

    /** What there is on disk is in force by now, or about to be. */
    void diskRead() {
        diskRead = true;
    }

    void opened(PortInfo port) {
        learn(port, guard.hold().toNanos());
    }

    /** It has served for a while. */
    void found(PortInfo port) {
        InboundGuard by = guard;
        learn(port, by.required() ? by.hold().toNanos() : 0);
    }

    private synchronized Known learn(PortInfo port, long holdNanos) {
        InboundGuard by = guard;
        Known learned = new Known(by.ofService().test(port), clock.nanoTime() + holdNanos);
        known.put(port.address().getPort(), learned);
        table = new PortTable<>(known);
        return learned;
    }

    /**
     * A policy came into force: what it names was waited for, and is not once more when it goes. One from disk says nothing of that: the
     * control plane's first may come before it has heard of the port.
     */
    synchronized void policyChanged(Policy inForce) {
        if (!isLive(inForce)) {
            return;
        }
        long now = clock.nanoTime();
        boolean any = false;
        for (Map.Entry<Integer, Known> port : known.entrySet()) {
            Known before = port.getValue();
            if (before.heldUntil - now > 0 && inForce.inbound().find(port.getKey()) != null) {
                port.setValue(new Known(before.ofService, now));
                any = true;
            }
        }
        if (any) {
            table = new PortTable<>(known);
        }
    }

    private Known know(int port, boolean ownTls) {
        Known found = table.find(port);
        return found == null ? learn(new PortInfo("", new InetSocketAddress(port), ownTls, false), guard.hold().toNanos()) : found;
    }

    /** @param ownTls the app's own TLS is on it; asked for only where the port has not been opened */
    Verdict verdict(int port, boolean ownTls) {
        InboundGuard by = guard;
        if (by == InboundGuard.NONE) {
            return Verdict.OPEN;
        }
        Known found = know(port, ownTls);
        if (!found.ofService) {
            return Verdict.OPEN;
        }
        long held = found.heldUntil - clock.nanoTime();
        // Before the policy, which is in force when they are no longer so.
        boolean coming = warming.getAsBoolean() || !diskRead && held + READING_NANOS > 0;
        Policy inForce = policy.get();
        if (held > 0 || coming && !isLive(inForce)) {
            return Verdict.HELD;
        }
        return by.required() || !isLive(inForce) && inForce != null && inForce.inbound().any() ? Verdict.CLOSED : Verdict.OPEN;
    }

    /** Of the clock, until when what comes in to that port is held up, unless a policy comes; past: no longer. */
    long heldUntilNanos(int port) {
        Known found = table.find(port);
        return found == null ? clock.nanoTime() : found.heldUntil;
    }

    /** Somebody got in there for want of a policy. */
    void admitted(int port) {
        Known found = table.find(port);
        if (found != null && found.ofService && !isLive(policy.get())) {
            notices.notice("port " + port + " takes connections as without a mesh: no control plane has said yet who may come in, and weft.required is false");
        }
    }

    private static boolean isLive(Policy policy) {
        return policy != null && policy.generation() != Policy.FROM_DISK;
    }
}
