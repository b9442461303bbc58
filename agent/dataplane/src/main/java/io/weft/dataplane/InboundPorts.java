package io.weft.dataplane;

import io.weft.dataplane.Connection.Hello;
import io.weft.dataplane.load.LoadMeter;
import io.weft.dataplane.load.Vitals;
import io.weft.dataplane.metrics.RequestMetrics;
import java.io.Closeable;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import java.util.function.Supplier;

/** The ports on which the app serves, from {@link #opened} to their closing or the drain. Thread-safe. */
public final class InboundPorts implements Inbound {
    /** What is hidden in it nobody knows. */
    static final Hello OWN_TLS = new Hello("", List.of());

    private final Supplier<Policy> policy;
    private final Drain drain;
    private final InboundConnections connections;
    private final LoadMeter load;
    private final UnnamedPorts unnamed;
    private final UnsecurablePorts unsecurable;
    private final Function<Telling, ServerLayers> makeLayers;
    private ServerLayers layers;
    private final Faults faults;
    private volatile int unguarded;
    /** Guarded by this object's lock, as is the listener. */
    private final Set<OpenPort> open = new LinkedHashSet<>();
    private Consumer<Set<PortInfo>> listener;

    /**
     * @param policy gives null before the first
     * @param warming a policy has come that is about to be put in force
     */
    InboundPorts(
            Supplier<Policy> policy, BooleanSupplier warming, Surroundings surroundings, RequestMetrics metrics, Refusals refusals,
            Notices notices) {
        this.policy = policy;
        NanoClock clock = surroundings.clock();
        Timers timers = surroundings.timers();
        faults = surroundings.faults();
        drain = new Drain(clock);
        load = new LoadMeter(clock, timers, drain::entered, this::busyThreads);
        unnamed = new UnnamedPorts(policy, warming, clock, notices);
        connections = new InboundConnections(policy, unnamed, surroundings, refusals);
        unsecurable = new UnsecurablePorts(policy, unnamed, connections, surroundings);
        makeLayers = telling -> new ServerLayers(policy, surroundings, drain, metrics, telling, load, connections);
        passThrough(Telling.NOTHING);
    }

    /** Before the first request. */
    final void passThrough(Telling telling) {
        layers = makeLayers.apply(telling);
    }

    /**
     * A port as it is to be registered.
     *
     * @param library as in {@code tomcat}
     * @param tls the app's own TLS is on it
     * @param draining no new clients, please
     */
    public record PortInfo(String library, InetSocketAddress address, boolean tls, boolean draining) {}

    /**
     * Says who is told of every change, and tells it the present state at once. Called one at a time, on the threads of the app
     * among others; must not block. Replaces the listener before.
     */
    public synchronized void onChange(Consumer<Set<PortInfo>> listener) {
        this.listener = listener;
        changed();
    }

    @Override
    public Port opened(String library, InetSocketAddress address, boolean tls) {
        return opened(new OpenPort(library, address, tls, true), false);
    }

    @Override
    public Port found(String library, InetSocketAddress address, boolean tls) {
        return opened(new OpenPort(library, address, tls, true), true);
    }

    private synchronized Port opened(OpenPort port, boolean served) {
        open.add(port);
        if (served) {
            unnamed.found(port.info());
        } else {
            unnamed.opened(port.info());
        }
        connections.reconsider();
        changed();
        return port;
    }

    @Override
    public Port openedUnsecurable(String library, InetSocketAddress address) throws UnsecurableException {
        Port port = opened(new OpenPort(library, address, false, false), false);
        try {
            unsecurable.awaitPolicy(address.getPort());
            unsecurable.check(library, address.getPort());
            return port;
        } catch (UnsecurableException | RuntimeException | Error e) {
            port.close();
            throw e;
        }
    }

    @Override
    public Port foundUnsecurable(String library, InetSocketAddress address) {
        return opened(new OpenPort(library, address, false, false), true);
    }

    @Override
    public Port openedBeside(String library, InetSocketAddress address) {
        return opened(new OpenPort(library, address, false, false), false);
    }

    @Override
    public boolean admitsUnsecurable(InetSocketAddress local, InetSocketAddress remote, boolean ownTls, Closeable socket) {
        return unsecurable.admits(new Connection(local, remote, ownTls ? OWN_TLS : null, null), socket);
    }

    /** Whether the policy in force says something of what comes in there. */
    public boolean isNamed(int port) {
        Policy inForce = policy.get();
        return inForce != null && inForce.inbound().find(port) != null;
    }

    /**
     * Whether the policy in force demands mesh TLS of who calls that port, or says who may. Of a port that it does not name, whether it does so
     * of another one of the app's.
     */
    public boolean isGuarded(int port) {
        return isNamed(port)
                ? unsecurable.isGuarded(port)
                : ports().stream().anyMatch(other -> !other.tls() && unsecurable.isGuarded(other.address().getPort()));
    }

    /** How many ports there are that others can call past what policy demands; said by who looks for them. */
    public void unguarded(int ports) {
        unguarded = ports;
    }

    public int unguarded() {
        return unguarded;
    }

    /** In the order in which they were opened. */
    public synchronized Set<PortInfo> ports() {
        Set<PortInfo> ports = new LinkedHashSet<>();
        for (OpenPort port : open) {
            ports.add(port.info());
        }
        return ports;
    }

    /** From now on every port is draining, and every one that opens. Not to be undone. */
    public synchronized void beginDrain() {
        if (!drain.begun()) {
            drain.begin();
            changed();
        }
    }

    /**
     * Lets the servers tell their callers over the connections that those have open, once. To be called when callers in the mesh had time
     * to hear it from their control plane and to go elsewhere: some take a GOAWAY for the end of all that is under way on the connection,
     * {@code java.net.http} before 17.0.17 for one.
     */
    public void tellCallers() {
        List<OpenPort> told;
        synchronized (this) {
            if (drain.callersTold()) {
                return;
            }
            drain.tellCallers();
            told = List.copyOf(open);
        }
        for (OpenPort port : told) {
            port.tellCallers();
        }
    }

    public boolean draining() {
        return drain.begun();
    }

    /** Requests under way, also those on ports that are closed by now. */
    public long inFlight() {
        return drain.inFlight();
    }

    /** Says what the load is measured by, and on which thread; until then callers are told none. */
    public void measureBy(Vitals vitals, Executor executor) {
        load.from(vitals, executor);
    }

    /** Of the busiest server. */
    private synchronized double busyThreads() {
        double busiest = 0;
        for (OpenPort port : open) {
            busiest = Math.max(busiest, port.busyThreads.getAsDouble());
        }
        return busiest;
    }

    /**
     * Does not wait for a request that the calling thread serves: that one would wait for its own end.
     *
     * @return whether nothing else was in flight before the time was over
     */
    public boolean awaitIdle(Duration timeout) throws InterruptedException {
        return drain.awaitIdle(servesHere() ? 1 : 0, timeout);
    }

    private synchronized boolean servesHere() {
        for (OpenPort port : open) {
            if (port.ownRequest.getAsBoolean()) {
                return true;
            }
        }
        return false;
    }

    @Override
    public InboundConnection accepted(InetSocketAddress local, InetSocketAddress remote, boolean ownTls, Runnable close) {
        return connections.accepted(local, remote, ownTls, close);
    }

    @Override
    public Port unregistered(int port, boolean ownTls) {
        return new OpenPort("", new InetSocketAddress(port), ownTls, true);
    }

    /** Says what becomes of what comes in to ports that no policy names; without it everyone gets in. To be said before one opens. */
    public void guard(InboundGuard by) {
        unnamed.guard(by);
    }

    /** Policies on disk have been looked for, and what they say has been {@linkplain DataPlane#apply applied}. */
    public void diskRead() {
        unnamed.diskRead();
        connections.reconsider();
    }

    /** Says how long a connection may go on that a new policy would not let in; ten seconds where nothing is said. */
    public void drainWithin(Duration limit) {
        connections.drainWithin(limit);
    }

    /** How many connections were closed for that reason so far. */
    public long rejections(Rejection why) {
        return connections.rejections(why);
    }

    /** Connections that have not said yet what they are. */
    public int undecided() {
        return connections.undecided();
    }

    /** A policy came into force. */
    void policyChanged() {
        connections.policyChanged();
        unsecurable.policyChanged();
    }

    private synchronized void closed(OpenPort port) {
        if (open.remove(port)) {
            changed();
        }
    }

    private void changed() {
        if (listener != null) {
            listener.accept(ports());
        }
    }

    private final class OpenPort implements Port {
        private final String library;
        private final InetSocketAddress address;
        private final boolean tls;
        private final boolean takesClients;
        private final AtomicBoolean closed = new AtomicBoolean();
        private volatile DoubleSupplier busyThreads = () -> 0;
        private volatile Runnable onDrain = () -> {};
        private volatile BooleanSupplier ownRequest = () -> false;

        OpenPort(String library, InetSocketAddress address, boolean tls, boolean takesClients) {
            this.library = library;
            this.address = address;
            this.tls = tls;
            this.takesClients = takesClients;
        }

        PortInfo info() {
            return new PortInfo(library, address, tls, !takesClients || drain.begun());
        }

        @Override
        public int port() {
            return address.getPort();
        }

        @Override
        public void onDrain(Runnable tell) {
            onDrain = tell;
        }

        private void tellCallers() {
            try {
                onDrain.run();
            } catch (RuntimeException | Error fault) {
                faults.fault("telling callers of " + library + " that this instance goes", fault);
            }
        }

        @Override
        public void busyThreads(DoubleSupplier share) {
            busyThreads = share;
        }

        @Override
        public void ownRequest(BooleanSupplier serves) {
            ownRequest = serves;
        }

        @Override
        public void enter(InboundExchange exchange) {
            exchange.entered(layers, address.getPort(), tls);
        }

        @Override
        public boolean draining() {
            return drain.begun();
        }

        @Override
        public void close() {
            if (closed.compareAndSet(false, true)) {
                closed(this);
            }
        }
    }
}
