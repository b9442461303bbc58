package io.weft.dataplane;

import io.weft.dataplane.load.LoadMeter;
import io.weft.dataplane.load.Vitals;
import io.weft.dataplane.route.InboundRoutes;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;

/** The ports on which the app serves, from {@link #opened} to their closing or the drain. Thread-safe. */
public final class InboundPorts implements Inbound {
    private final Drain drain;
    private final LongAdder requests = new LongAdder();
    private final LoadMeter load;
    private final ServerLayers layers;
    private final Supplier<Policy> policy;
    /** Guarded by this object's lock, as is the listener. */
    private final Set<OpenPort> open = new LinkedHashSet<>();
    private Consumer<Set<PortInfo>> listener;

    /** @param policy gives null before the first */
    InboundPorts(Supplier<Policy> policy, NanoClock clock, Randomness randomness, Timers timers, Faults faults) {
        this.policy = policy;
        drain = new Drain(clock);
        load = new LoadMeter(clock, timers, drain::entered, this::busyThreads);
        layers = new ServerLayers(policy, randomness, timers, faults, drain, requests, load);
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
    public synchronized Port opened(String library, InetSocketAddress address, boolean tls) {
        OpenPort port = new OpenPort(library, address, tls);
        open.add(port);
        changed();
        return port;
    }

    /** In the order in which they were opened. */
    public synchronized Set<PortInfo> ports() {
        Set<PortInfo> ports = new LinkedHashSet<>();
        for (OpenPort port : open) {
            ports.add(new PortInfo(port.library, port.address, port.tls, drain.begun()));
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

    /** Requests that reached the app so far. */
    public long requests() {
        return requests.sum();
    }

    /** @return whether nothing was in flight before the time was over */
    public boolean awaitIdle(Duration timeout) throws InterruptedException {
        return drain.awaitIdle(timeout);
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
        private final AtomicBoolean closed = new AtomicBoolean();
        private volatile DoubleSupplier busyThreads = () -> 0;

        OpenPort(String library, InetSocketAddress address, boolean tls) {
            this.library = library;
            this.address = address;
            this.tls = tls;
        }

        @Override
        public int port() {
            return address.getPort();
        }

        @Override
        public boolean admitsConnection() {
            Policy inForce = policy.get();
            InboundRoutes routes = inForce == null ? null : inForce.inbound().find(address.getPort());
            return routes == null || routes.admitsConnection();
        }

        @Override
        public void busyThreads(DoubleSupplier share) {
            busyThreads = share;
        }

        @Override
        public void enter(InboundExchange exchange) {
            // What TLS of the app's own hides, no policy can speak of.
            exchange.entered(layers, tls ? -1 : address.getPort());
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
