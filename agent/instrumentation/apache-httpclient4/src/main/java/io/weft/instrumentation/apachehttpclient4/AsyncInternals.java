package io.weft.instrumentation.apachehttpclient4;

import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.http.client.methods.HttpRequestWrapper;
import org.apache.http.client.protocol.HttpClientContext;
import org.apache.http.concurrent.BasicFuture;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.nio.conn.NHttpClientConnectionManager;
import org.apache.http.nio.entity.EntityAsyncContentProducer;
import org.apache.http.nio.entity.HttpAsyncContentProducer;
import org.apache.http.nio.protocol.BasicAsyncRequestProducer;
import org.apache.http.nio.protocol.HttpAsyncClientExchangeHandler;
import org.apache.http.nio.protocol.HttpAsyncRequestProducer;

/** What an exchange of the library's is made of: its members, the same ones from 4.1 to 4.1.5. */
final class AsyncInternals {
    /** Read once, by {@link Members}. */
    private static volatile AdapterContext context;

    private final EndpointRoutes routes = new EndpointRoutes();

    AsyncInternals(AdapterContext context) throws ReflectiveOperationException {
        AsyncInternals.context = context;
        AdapterContext.initialize(MethodHandles.lookup(), Members.class);
    }

    EndpointRoutes routes() {
        return routes;
    }

    /** Whether it is one of a client that has an execution chain. */
    boolean isWhole(HttpAsyncClientExchangeHandler handler) {
        return handler.getClass() == Members.WHOLE;
    }

    /** Whether it is one request of a client that has none. */
    boolean isMinimal(HttpAsyncClientExchangeHandler handler) {
        return handler.getClass() == Members.MINIMAL;
    }

    /** As the library does where there is no connection; but a minimal client's future would never be told by 4.1.5. */
    void fail(HttpAsyncClientExchangeHandler handler, Exception why) throws Throwable {
        try {
            handler.failed(why);
        } finally {
            if (isMinimal(handler)) {
                ((BasicFuture<?>) Members.FUTURE.invokeExact(handler)).failed(why);
            }
        }
    }

    HttpRoute route(HttpAsyncClientExchangeHandler handler) throws Throwable {
        return (HttpRoute) Members.ROUTE.invokeExact(handler);
    }

    HttpRequestWrapper request(HttpAsyncClientExchangeHandler handler) throws Throwable {
        return (HttpRequestWrapper) Members.REQUEST.invokeExact(handler);
    }

    /** Of one that is {@link #isWhole}. */
    HttpAsyncRequestProducer producer(HttpAsyncClientExchangeHandler handler) throws Throwable {
        return (HttpAsyncRequestProducer) Members.PRODUCER.invokeExact(handler);
    }

    NHttpClientConnectionManager connections(HttpAsyncClientExchangeHandler handler) throws Throwable {
        return (NHttpClientConnectionManager) Members.CONNECTIONS.invokeExact(handler);
    }

    HttpClientContext context(HttpAsyncClientExchangeHandler handler) throws Throwable {
        return (HttpClientContext) Members.CONTEXT.invokeExact(handler);
    }

    /** As when the library's manager has given it a connection to where it wants to go. */
    void give(HttpAsyncClientExchangeHandler handler, AsyncConnection connection) throws Throwable {
        Members.DISCARD.invokeExact(handler);
        ((AtomicReference<?>) Members.VALIDITY.invokeExact(handler)).set(null);
        ((AtomicReference<?>) Members.TRACKER.invokeExact(handler)).set(null);
        ((AtomicBoolean) Members.ESTABLISHED.invokeExact(handler)).set(true);
        leased(handler).set(connection);
    }

    /** Whether the app has given it up, or has been told of its end. */
    boolean isClosed(HttpAsyncClientExchangeHandler handler) throws Throwable {
        return ((AtomicBoolean) Members.CLOSED.invokeExact(handler)).get();
    }

    /** The connection that it has been given, which it has no more. @return null: it has another one, or none */
    AsyncConnection take(HttpAsyncClientExchangeHandler handler) throws Throwable {
        AtomicReference<Object> leased = leased(handler);
        return leased.get() instanceof AsyncConnection ours && leased.compareAndSet(ours, null) ? ours : null;
    }

    boolean isLeftAlone(HttpAsyncClientExchangeHandler handler) throws Throwable {
        return leased(handler).get() instanceof AsyncConnection ours && ours.hop().isLeftAlone();
    }

    /** For how long its connection is good; 0: for ever; null: it is of no use any more. */
    Long validMillis(HttpAsyncClientExchangeHandler handler) throws Throwable {
        return (Long) ((AtomicReference<?>) Members.VALIDITY.invokeExact(handler)).get();
    }

    /** It is to give its bytes from the first one on. */
    void reset(HttpAsyncRequestProducer producer) throws Throwable {
        producer.resetRequest();
        if (producer instanceof BasicAsyncRequestProducer basic
                && (HttpAsyncContentProducer) Members.CONTENT.invokeExact(basic) instanceof EntityAsyncContentProducer ofEntity) {
            // The library leaves in it what the connection did not take.
            ((ByteBuffer) Members.UNSENT.invokeExact(ofEntity)).clear();
        }
    }

    void requestConnection(HttpAsyncClientExchangeHandler handler) throws Throwable {
        Members.ASK.invokeExact(handler);
    }

    @SuppressWarnings("unchecked")
    private static AtomicReference<Object> leased(HttpAsyncClientExchangeHandler handler) throws Throwable {
        return (AtomicReference<Object>) (AtomicReference<?>) Members.LEASED.invokeExact(handler);
    }

    /** Constants, of each library's loader its own: with them the JIT compiles what a member leads to into the caller. */
    private static final class Members {
        private static final String CLIENT = "org.apache.http.impl.nio.client.";

        static final Class<?> WHOLE;
        static final MethodHandle ROUTE;
        static final MethodHandle REQUEST;
        static final MethodHandle PRODUCER;
        static final MethodHandle CONTENT;
        static final MethodHandle UNSENT;
        static final MethodHandle CONNECTIONS;
        static final MethodHandle CONTEXT;
        static final MethodHandle LEASED;
        static final MethodHandle VALIDITY;
        static final MethodHandle TRACKER;
        static final MethodHandle ESTABLISHED;
        static final MethodHandle CLOSED;
        static final MethodHandle DISCARD;
        static final MethodHandle ASK;
        /** Null where the app's copy of the library has none, as the one below. */
        static final Class<?> MINIMAL;
        static final MethodHandle FUTURE;

        static {
            AdapterContext context = AsyncInternals.context;
            try {
                MethodHandles.Lookup handler = context.lookup(CLIENT + "AbstractClientExchangeHandler");
                MethodHandles.Lookup whole = context.lookup(CLIENT + "DefaultClientExchangeHandlerImpl");
                WHOLE = whole.lookupClass();
                PRODUCER = field(whole, "requestProducer", HttpAsyncRequestProducer.class);
                CONTENT = context.lookup(BasicAsyncRequestProducer.class.getName())
                        .findGetter(BasicAsyncRequestProducer.class, "producer", HttpAsyncContentProducer.class);
                UNSENT = context.lookup(EntityAsyncContentProducer.class.getName())
                        .findGetter(EntityAsyncContentProducer.class, "buffer", ByteBuffer.class);
                ROUTE = method(handler, "getRoute", HttpRoute.class);
                REQUEST = method(handler, "getCurrentRequest", HttpRequestWrapper.class);
                CONNECTIONS = field(handler, "connmgr", NHttpClientConnectionManager.class);
                CONTEXT = field(handler, "localContext", HttpClientContext.class);
                LEASED = field(handler, "managedConnRef", AtomicReference.class);
                VALIDITY = field(handler, "validDurationRef", AtomicReference.class);
                TRACKER = field(handler, "routeTrackerRef", AtomicReference.class);
                ESTABLISHED = field(handler, "routeEstablished", AtomicBoolean.class);
                CLOSED = field(handler, "closed", AtomicBoolean.class);
                DISCARD = method(handler, "discardConnection", void.class);
                ASK = method(handler, "requestConnection", void.class);
                MethodHandles.Lookup minimal = minimal();
                MINIMAL = minimal == null ? null : minimal.lookupClass();
                FUTURE = minimal == null ? null : field(minimal, "resultFuture", BasicFuture.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private static MethodHandles.Lookup minimal() throws ReflectiveOperationException {
            try {
                return AsyncInternals.context.lookup(CLIENT + "MinimalClientExchangeHandlerImpl");
            } catch (ClassNotFoundException leftOut) {
                return null;
            }
        }

        private static MethodHandle field(MethodHandles.Lookup owner, String name, Class<?> type) throws ReflectiveOperationException {
            return ofAny(owner.findGetter(owner.lookupClass(), name, type));
        }

        private static MethodHandle method(MethodHandles.Lookup owner, String name, Class<?> type) throws ReflectiveOperationException {
            return ofAny(owner.findVirtual(owner.lookupClass(), name, MethodType.methodType(type)));
        }

        private static MethodHandle ofAny(MethodHandle member) {
            return member.asType(member.type().changeParameterType(0, HttpAsyncClientExchangeHandler.class));
        }
    }
}
