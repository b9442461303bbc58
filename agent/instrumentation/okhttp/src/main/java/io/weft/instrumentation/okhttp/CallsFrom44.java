package io.weft.instrumentation.okhttp;

import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.net.Proxy;
import java.net.ProxySelector;
import javax.net.SocketFactory;
import okhttp3.Authenticator;
import okhttp3.Call;
import okhttp3.Connection;
import okhttp3.EventListener;
import okhttp3.Interceptor;

/** From 4.4 on the call itself finds its connections: it is sent back to where it began to look for one. */
final class CallsFrom44 extends Calls {
    static final String CALL = "okhttp3.internal.connection.RealCall";
    private static final String CHAIN = "okhttp3.internal.http.RealInterceptorChain";

    CallsFrom44(AdapterContext context) throws ReflectiveOperationException {
        super(context, "okhttp3.internal.http.ExchangeCodec");
        AdapterContext.initialize(MethodHandles.lookup(), Handles.class);
    }

    @Override
    ConnectionSettings settings(Interceptor.Chain chain) throws Throwable {
        if (!Handles.CHAIN_HAS_SETTINGS) {
            return super.settings(chain);
        }
        return new ConnectionSettings(
                (Proxy) (Object) Handles.PROXY.invokeExact((Object) chain),
                (ProxySelector) (Object) Handles.PROXY_SELECTOR.invokeExact((Object) chain),
                (SocketFactory) (Object) Handles.SOCKET_FACTORY.invokeExact((Object) chain),
                (Authenticator) (Object) Handles.PROXY_AUTHENTICATOR.invokeExact((Object) chain),
                client(chain.call()));
    }

    @Override
    void lead(Interceptor.Chain chain, Attempt attempt) throws Throwable {
        Call call = chain.call();
        Connection held = (Connection) (Object) Handles.CONNECTION.invokeExact((Object) call);
        if (held != null && !attempt.leadsThere(held.route().address())) {
            release(call, held);
        }
        Object ignored = Handles.ENTERS_WITH_CHAIN
                ? (Object) Handles.ENTER.invokeExact((Object) call, (Object) chain.request(), (Object) Boolean.TRUE, (Object) chain)
                : (Object) Handles.ENTER.invokeExact((Object) call, (Object) chain.request(), (Object) Boolean.TRUE);
    }

    /** As the library does it when a redirect leads to another host. */
    private void release(Call call, Connection held) throws Throwable {
        Object unused;
        synchronized (Handles.POOL == null ? held : (Object) Handles.POOL.invokeExact((Object) call)) {
            unused = (Object) Handles.RELEASE.invokeExact((Object) call);
        }
        close(unused);
        ((EventListener) (Object) Handles.EVENT_LISTENER.invokeExact((Object) call)).connectionReleased(call, held);
    }

    @Override
    boolean isConnected(Interceptor.Chain chain) throws Throwable {
        return (Object) Handles.EXCHANGE.invokeExact((Object) chain.call()) != null;
    }

    @Override
    void drop(Interceptor.Chain chain, Exception failure) throws Throwable {
        Object ignored = (Object) Handles.EXIT.invokeExact((Object) chain.call(), (Object) Boolean.TRUE);
    }

    /** As those of each call. */
    private static final class Handles {
        static final MethodHandle ENTER;
        /** From 5 on it takes the chain, too. */
        static final boolean ENTERS_WITH_CHAIN;
        static final MethodHandle EXIT;
        static final MethodHandle CONNECTION;
        static final MethodHandle RELEASE;
        /** By which it is guarded before 4.8; null: by the connection itself. */
        static final MethodHandle POOL;
        static final MethodHandle EXCHANGE;
        static final MethodHandle EVENT_LISTENER;

        /** From 5.4 on an interceptor of the app's may say for its call what a client says for all. */
        static final boolean CHAIN_HAS_SETTINGS;
        // Null where it may not.
        static final MethodHandle PROXY;
        static final MethodHandle PROXY_SELECTOR;
        static final MethodHandle SOCKET_FACTORY;
        static final MethodHandle PROXY_AUTHENTICATOR;

        static {
            AdapterContext context = Calls.context;
            try {
                Members call = new Members(context, CALL);
                ENTER = call.method("enterNetworkInterceptorExchange");
                ENTERS_WITH_CHAIN = ENTER.type().parameterCount() > 3;
                EXIT = call.method("exitNetworkInterceptorExchange");
                CONNECTION = call.method("getConnection");
                RELEASE = call.method("releaseConnectionNoEvents");
                POOL = call.has("connectionToCancel") || call.has("plansToCancel") ? null : call.getter("connectionPool");
                EXCHANGE = call.method("getInterceptorScopedExchange");
                EVENT_LISTENER = call.getter("eventListener");
                Members chain = new Members(context, CHAIN);
                CHAIN_HAS_SETTINGS = chain.has("proxySelector");
                PROXY = CHAIN_HAS_SETTINGS ? chain.getter("proxy") : null;
                PROXY_SELECTOR = CHAIN_HAS_SETTINGS ? chain.getter("proxySelector") : null;
                SOCKET_FACTORY = CHAIN_HAS_SETTINGS ? chain.getter("socketFactory") : null;
                PROXY_AUTHENTICATOR = CHAIN_HAS_SETTINGS ? chain.getter("proxyAuthenticator") : null;
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }
}
