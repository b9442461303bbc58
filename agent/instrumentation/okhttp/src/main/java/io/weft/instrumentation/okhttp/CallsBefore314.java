package io.weft.instrumentation.okhttp;

import io.weft.instrumentation.AdapterContext;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.net.ConnectException;
import java.net.ProtocolException;
import okhttp3.Address;
import okhttp3.Call;
import okhttp3.Connection;
import okhttp3.Interceptor;

/**
 * Before 3.14 a {@code StreamAllocation} finds a hop's connections, one for all hops to the same host; it is the one that a canceller and
 * the redirects look at, and is therefore led to another address rather than replaced.
 */
final class CallsBefore314 extends Calls {
    static final String STREAMS = "okhttp3.internal.connection.StreamAllocation";

    private final MethodHandle allocation;
    private final MethodHandle setAddress;
    private final MethodHandle setSelector;
    private final MethodHandle setSelection;
    private final MethodHandle setRoute;
    private final MethodHandle routeDatabase;
    private final MethodHandle eventListener;
    private final MethodHandle newSelector;
    private final MethodHandle connection;
    private final MethodHandle codec;
    private final MethodHandle noNewStreams;
    private final MethodHandle streamFailed;

    CallsBefore314(AdapterContext context) throws ReflectiveOperationException {
        super(context, "okhttp3.internal.http.HttpCodec");
        allocation = new Members(context, "okhttp3.internal.http.RealInterceptorChain").method("streamAllocation");
        Members streams = new Members(context, STREAMS);
        setAddress = streams.setter("address");
        setSelector = streams.setter("routeSelector");
        setSelection = streams.setter("routeSelection");
        setRoute = streams.setter("route");
        routeDatabase = streams.method("routeDatabase");
        eventListener = streams.getter("eventListener");
        newSelector = new Members(context, "okhttp3.internal.connection.RouteSelector").constructor();
        connection = streams.method("connection");
        codec = streams.method("codec");
        noNewStreams = streams.method("noNewStreams");
        streamFailed = streams.method("streamFailed");
    }

    private Object streams(Interceptor.Chain chain) throws Throwable {
        return (Object) allocation.invokeExact((Object) chain);
    }

    @Override
    void lead(Interceptor.Chain chain, Attempt attempt) throws Throwable {
        Object streams = streams(chain);
        Connection held = (Connection) (Object) connection.invokeExact(streams);
        if (held != null && attempt.leadsThere(held.route().address())) {
            attempt.stays();
            return;
        }
        if (held != null) {
            Object ignored = (Object) noNewStreams.invokeExact(streams);
        }
        Address there = attempt.address(chain.request().url());
        Call call = chain.call();
        Object database = (Object) routeDatabase.invokeExact(streams);
        Object listener = (Object) eventListener.invokeExact(streams);
        Object selector = (Object) newSelector.invokeExact((Object) there, database, (Object) call, listener);
        Object ignored = (Object) setAddress.invokeExact(streams, (Object) there);
        ignored = (Object) setSelector.invokeExact(streams, selector);
        ignored = (Object) setSelection.invokeExact(streams, (Object) null);
        ignored = (Object) setRoute.invokeExact(streams, (Object) null);
    }

    /** Before it has looked for a connection, the library would try again without end. */
    @Override
    IOException refusal(ConnectException failure) {
        ProtocolException last = new ProtocolException(failure.getMessage());
        last.initCause(failure);
        return last;
    }

    @Override
    boolean isConnected(Interceptor.Chain chain) throws Throwable {
        return (Object) codec.invokeExact(streams(chain)) != null;
    }

    @Override
    void drop(Interceptor.Chain chain, Exception failure) throws Throwable {
        if (failure != null) {
            Object ignored = (Object) streamFailed.invokeExact(streams(chain), (Object) (failure instanceof IOException io ? io : null));
        }
    }
}
