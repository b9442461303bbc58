package io.weft.instrumentation.okhttp;

import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import okhttp3.Connection;
import okhttp3.EventListener;
import okhttp3.Interceptor;

/** From 3.14 to 4.3 a {@code Transmitter} finds the connections of all hops of a call: it is made to prepare for the hop anew. */
final class CallsFrom314 extends Calls {
    static final String TRANSMITTER = "okhttp3.internal.connection.Transmitter";

    CallsFrom314(AdapterContext context) throws ReflectiveOperationException {
        super(context, "okhttp3.internal.http.ExchangeCodec");
        AdapterContext.initialize(MethodHandles.lookup(), Handles.class);
    }

    private static Object transmitter(Interceptor.Chain chain) throws Throwable {
        return (Object) Handles.OF_CHAIN.invokeExact((Object) chain);
    }

    @Override
    void lead(Interceptor.Chain chain, Attempt attempt) throws Throwable {
        Object transmitter = transmitter(chain);
        Connection held = (Connection) (Object) Handles.CONNECTION.invokeExact(transmitter);
        if (held != null && !attempt.leadsThere(held.route().address())) {
            release(chain, transmitter, held);
        }
        // Of a request that it has prepared for it would keep the address.
        Object ignored = (Object) Handles.SET_REQUEST.invokeExact(transmitter, (Object) null);
        ignored = (Object) Handles.PREPARE.invokeExact(transmitter, (Object) chain.request());
    }

    /** As the library does it when a redirect leads to another host. */
    private static void release(Interceptor.Chain chain, Object transmitter, Connection held) throws Throwable {
        Object unused;
        synchronized ((Object) Handles.POOL.invokeExact(transmitter)) {
            unused = (Object) Handles.RELEASE.invokeExact(transmitter);
        }
        close(unused);
        ((EventListener) (Object) Handles.EVENT_LISTENER.invokeExact(transmitter)).connectionReleased(chain.call(), held);
    }

    @Override
    boolean isConnected(Interceptor.Chain chain) throws Throwable {
        return (Object) Handles.EXCHANGE.invokeExact(transmitter(chain)) != null;
    }

    @Override
    void drop(Interceptor.Chain chain, Exception failure) throws Throwable {
        Object transmitter = transmitter(chain);
        if (failure != null) {
            Object ignored = (Object) Handles.FAILED.invokeExact(transmitter);
            return;
        }
        Object exchange = (Object) Handles.EXCHANGE.invokeExact(transmitter);
        if (exchange != null) {
            Object ignored = (Object) Handles.DETACH.invokeExact(exchange);
        }
    }

    /** As those of each call. */
    private static final class Handles {
        static final MethodHandle OF_CHAIN;
        static final MethodHandle CONNECTION;
        static final MethodHandle EXCHANGE;
        static final MethodHandle EVENT_LISTENER;
        static final MethodHandle POOL;
        static final MethodHandle SET_REQUEST;
        static final MethodHandle PREPARE;
        static final MethodHandle RELEASE;
        static final MethodHandle FAILED;
        static final MethodHandle DETACH;

        static {
            AdapterContext context = Calls.context;
            try {
                OF_CHAIN = new Members(context, "okhttp3.internal.http.RealInterceptorChain").method("transmitter");
                Members transmitter = new Members(context, TRANSMITTER);
                CONNECTION = transmitter.getter("connection");
                EXCHANGE = transmitter.getter("exchange");
                EVENT_LISTENER = transmitter.getter("eventListener");
                POOL = transmitter.getter("connectionPool");
                SET_REQUEST = transmitter.setter("request");
                PREPARE = transmitter.method("prepareToConnect");
                RELEASE = transmitter.method("releaseConnectionNoEvents");
                FAILED = transmitter.method("exchangeDoneDueToException");
                DETACH = new Members(context, "okhttp3.internal.connection.Exchange").method("detachWithViolence");
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }
}
