package io.weft.instrumentation.okhttp;

import io.weft.instrumentation.AdapterContext;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.Socket;
import javax.net.SocketFactory;
import okhttp3.Authenticator;
import okhttp3.Call;
import okhttp3.Connection;
import okhttp3.EventListener;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;

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

    /** Null before 5.4: an app's interceptors cannot change what its client says. */
    private final ChainSettings settings;

    /** From 5 on it takes the chain, too. */
    private final boolean entersWithChain;

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
        Members chain = new Members(context, CHAIN);
        settings = chain.has("proxySelector") ? new ChainSettings(chain) : null;
    }

    /** What an interceptor of the app's may have changed for its call. */
    private static final class ChainSettings {
        private final MethodHandle proxy;
        private final MethodHandle proxySelector;
        private final MethodHandle socketFactory;
        private final MethodHandle proxyAuthenticator;

        ChainSettings(Members chain) throws ReflectiveOperationException {
            proxy = chain.getter("proxy");
            proxySelector = chain.getter("proxySelector");
            socketFactory = chain.getter("socketFactory");
            proxyAuthenticator = chain.getter("proxyAuthenticator");
        }

        ConnectionSettings of(Object chain, OkHttpClient client) throws Throwable {
            return new ConnectionSettings(
                    (Proxy) (Object) proxy.invokeExact(chain),
                    (ProxySelector) (Object) proxySelector.invokeExact(chain),
                    (SocketFactory) (Object) socketFactory.invokeExact(chain),
                    (Authenticator) (Object) proxyAuthenticator.invokeExact(chain),
                    client);
        }
    }

    @Override
    ConnectionSettings settings(Interceptor.Chain chain) throws Throwable {
        return settings == null ? super.settings(chain) : settings.of(chain, client(chain.call()));
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
