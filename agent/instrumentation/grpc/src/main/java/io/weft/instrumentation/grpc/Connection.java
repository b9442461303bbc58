package io.weft.instrumentation.grpc;

import io.grpc.Attributes;
import io.grpc.Status;
import io.grpc.internal.ConnectionClientTransport;
import io.grpc.internal.ManagedClientTransport;
import io.weft.dataplane.ClientConnection;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.concurrent.TimeUnit;

/**
 * A transport and what the library says of it. The library's listener has got further methods and arguments over the years, all with
 * the same names: so it is a proxy. What is said comes on the library's threads, and is heard in
 * the channel's turns.
 */
final class Connection implements InvocationHandler {
    private final EndpointTransport owner;
    private final Dialer.Dialed dialed;

    /** Null: plaintext, or not connected yet. */
    private volatile ClientConnection kept;

    private volatile boolean inUse;

    /** In turns: when the last stream was over. */
    private long unusedSince;

    /** In turns. */
    private boolean watched;

    /** In turns: it takes no more streams. */
    private boolean closing;

    Connection(EndpointTransport owner, Dialer.Dialed dialed) {
        this.owner = owner;
        this.dialed = dialed;
    }

    ConnectionClientTransport transport() {
        return dialed.transport();
    }

    /** In turns. */
    void start() {
        Class<?> type = ManagedClientTransport.Listener.class;
        Object listener = Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, this);
        Runnable later = transport().start((ManagedClientTransport.Listener) listener);
        if (later != null) {
            later.run();
        }
    }

    /** In turns: when its streams are over. */
    void close(Status status) {
        owner.retire(this, status);
    }

    /** Whether it may have a further stream. On any thread. */
    boolean lease() {
        ClientConnection secured = kept;
        return secured == null || secured.lease();
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
        switch (method.getName()) {
            case "transportReady" -> owner.channel().hear(this::ready);
            case "transportShutdown" -> {
                Status status = (Status) arguments[0];
                owner.channel().hear(() -> closing(status));
            }
            case "transportTerminated" -> owner.channel().hear(this::terminated);
            case "transportInUse" -> use((Boolean) arguments[0]);
            case "filterTransport" -> {
                return owner.channel().filtered((Attributes) arguments[0]);
            }
            case "equals" -> {
                return proxy == arguments[0];
            }
            case "hashCode" -> {
                return System.identityHashCode(this);
            }
            case "toString" -> {
                return "a connection of the mesh to " + owner.endpoint();
            }
            default -> {
                return null;
            }
        }
        return null;
    }

    private void ready() {
        if (!dialed.isAsWanted().getAsBoolean()) {
            Status status = Status.UNAVAILABLE.withDescription("mesh TLS cannot be set up in this version of the library");
            transport().shutdownNow(status);
            closing(status);
            return;
        }
        if (owner.endpoint().tls() != null) {
            kept = owner.endpoint().tls().connections().opened(this::replaced);
        }
        owner.connected(this);
    }

    /** On the thread that brings policy, which is not to wait for a transport's locks. */
    private void replaced() {
        owner.channel().scheduler().execute(() -> owner.channel().turns().execute(() -> owner.retireIdle(this)));
    }

    private void closing(Status status) {
        if (!closing) {
            closing = true;
            owner.closing(this, status);
        }
    }

    private void terminated() {
        closing(Status.UNAVAILABLE);
        owner.channel().ended(this);
    }

    private void use(boolean used) {
        inUse = used;
        if (used) {
            lease();
        } else {
            owner.channel().hear(this::unused);
        }
    }

    /** In turns: it has no stream. */
    void unused() {
        if (inUse || closing) {
            return;
        }
        ClientConnection secured = kept;
        if (secured != null && !secured.giveBack()) {
            owner.retireIdle(this);
            return;
        }
        unusedSince = System.nanoTime();
        Long idle = watched ? null : idleNanos();
        if (idle != null) {
            watch(idle, idle);
        }
    }

    /** @return null: for ever */
    private Long idleNanos() {
        try {
            return owner.channel().idleNanos();
        } catch (Throwable fault) {
            owner.channel().fault("a connection", fault);
            return null;
        }
    }

    /** One look at most is to come, however often it is used meanwhile. */
    private void watch(long nanos, long idleNanos) {
        watched = true;
        owner.channel().scheduler().schedule(
                () -> owner.channel().turns().execute(() -> look(idleNanos)), nanos, TimeUnit.NANOSECONDS);
    }

    private void look(long idleNanos) {
        watched = false;
        if (inUse || closing) {
            return;
        }
        long left = idleNanos - (System.nanoTime() - unusedSince);
        if (left > 0) {
            watch(left, idleNanos);
        } else {
            owner.retireIdle(this);
        }
    }
}
