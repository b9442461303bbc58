package io.weft.instrumentation.okhttp;

import io.weft.instrumentation.AdapterContext;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.net.Socket;
import okhttp3.Address;
import okhttp3.Call;
import okhttp3.Connection;
import okhttp3.EventListener;
import okhttp3.Interceptor;

/** From 4.9 on the call itself finds its connections: it is sent back to where it began to look for one. */
final class CallsFrom4 extends Calls {
    static final String CALL = "okhttp3.internal.connection.RealCall";
    private static final String CHAIN = "okhttp3.internal.http.RealInterceptorChain";

    private final MethodHandle enter;
    private final MethodHandle exit;
    private final MethodHandle connection;
    private final MethodHandle release;
    private final MethodHandle exchange;
    private final MethodHandle eventListener;
    private final MethodHandle client;
    private final MethodHandle address;

    /** Whose method {@link #address} is. */
    private final Owner owner;

    /** From 5 on it takes the chain, too. */
    private final boolean entersWithChain;

    private enum Owner { CALL, CLIENT, CHAIN }

    CallsFrom4(AdapterContext context) throws ReflectiveOperationException {
        this(context, new Members(context, CALL));
    }

    private CallsFrom4(AdapterContext context, Members call) throws ReflectiveOperationException {
        super(call, new Members(context, "okhttp3.internal.http.ExchangeCodec"));
        if (!call.has("connectionToCancel") && !call.has("plansToCancel")) {
            throw new NoSuchFieldException("its connections are guarded by other locks; supported versions: " + OkHttpModule.VERSIONS);
        }
        enter = call.method("enterNetworkInterceptorExchange");
        entersWithChain = enter.type().parameterCount() > 3;
        exit = call.method("exitNetworkInterceptorExchange");
        connection = call.method("getConnection");
        release = call.method("releaseConnectionNoEvents");
        exchange = call.method("getInterceptorScopedExchange");
        eventListener = call.getter("eventListener");
        client = call.getter("client");
        Members chain = new Members(context, CHAIN);
        Members ofClient = new Members(context, "okhttp3.OkHttpClient");
        MethodHandle found = optional(call, "createAddress");
        Owner of = Owner.CALL;
        if (found == null) {
            found = optional(chain, "address");
            of = Owner.CHAIN;
        }
        if (found == null) {
            found = ofClient.method("address");
            of = Owner.CLIENT;
        }
        address = found;
        owner = of;
    }

    private static MethodHandle optional(Members members, String name) throws ReflectiveOperationException {
        try {
            return members.method(name);
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    @Override
    Address address(Interceptor.Chain chain) throws Throwable {
        Object of = switch (owner) {
            case CALL -> chain.call();
            case CHAIN -> chain;
            case CLIENT -> (Object) client.invokeExact((Object) chain.call());
        };
        return (Address) (Object) address.invokeExact(of, (Object) chain.request().url());
    }

    @Override
    void lead(Interceptor.Chain chain, Attempt attempt) throws Throwable {
        Call call = chain.call();
        Connection held = (Connection) (Object) connection.invokeExact((Object) call);
        if (held != null && !attempt.leadsThere(held.route().address())) {
            release(call, held);
        }
        Object ignored = entersWithChain
                ? (Object) enter.invokeExact((Object) call, (Object) chain.request(), (Object) Boolean.TRUE, (Object) chain)
                : (Object) enter.invokeExact((Object) call, (Object) chain.request(), (Object) Boolean.TRUE);
    }

    /** As the library does it when a redirect leads to another host. */
    private void release(Call call, Connection held) throws Throwable {
        Socket unused;
        synchronized (held) {
            unused = (Socket) (Object) release.invokeExact((Object) call);
        }
        if (unused != null) {
            close(unused);
        }
        ((EventListener) (Object) eventListener.invokeExact((Object) call)).connectionReleased(call, held);
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException closed) {
            // The library does not look at it either.
            return;
        }
    }

    @Override
    boolean isConnected(Interceptor.Chain chain) throws Throwable {
        return (Object) exchange.invokeExact((Object) chain.call()) != null;
    }

    @Override
    void drop(Interceptor.Chain chain, Exception failure) throws Throwable {
        Object ignored = (Object) exit.invokeExact((Object) chain.call(), (Object) Boolean.TRUE);
    }
}
