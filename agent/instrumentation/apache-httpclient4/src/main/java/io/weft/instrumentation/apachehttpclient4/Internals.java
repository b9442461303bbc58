package io.weft.instrumentation.apachehttpclient4;

import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import org.apache.http.ConnectionReuseStrategy;
import org.apache.http.client.AuthenticationStrategy;
import org.apache.http.client.UserTokenHandler;
import org.apache.http.conn.ConnectionKeepAliveStrategy;
import org.apache.http.conn.HttpClientConnectionManager;
import org.apache.http.impl.execchain.MainClientExec;
import org.apache.http.impl.execchain.MinimalClientExec;
import org.apache.http.protocol.HttpRequestExecutor;

/** What the end of an execution chain was built of: private fields, the same ones from 4.3 to 4.5. */
final class Internals {
    /** Read once, by {@link Members}. */
    private static volatile AdapterContext context;

    Internals(AdapterContext context) throws ReflectiveOperationException {
        Internals.context = context;
        AdapterContext.initialize(MethodHandles.lookup(), Members.class);
    }

    HttpRequestExecutor executor(MainClientExec exec) throws Throwable {
        return (HttpRequestExecutor) Members.EXECUTOR.invokeExact(exec);
    }

    HttpClientConnectionManager connections(MainClientExec exec) throws Throwable {
        return (HttpClientConnectionManager) Members.CONNECTIONS.invokeExact(exec);
    }

    ConnectionReuseStrategy reuse(MainClientExec exec) throws Throwable {
        return (ConnectionReuseStrategy) Members.REUSE.invokeExact(exec);
    }

    ConnectionKeepAliveStrategy keepAlive(MainClientExec exec) throws Throwable {
        return (ConnectionKeepAliveStrategy) Members.KEEP_ALIVE.invokeExact(exec);
    }

    AuthenticationStrategy targetAuthentication(MainClientExec exec) throws Throwable {
        return (AuthenticationStrategy) Members.TARGET_AUTHENTICATION.invokeExact(exec);
    }

    AuthenticationStrategy proxyAuthentication(MainClientExec exec) throws Throwable {
        return (AuthenticationStrategy) Members.PROXY_AUTHENTICATION.invokeExact(exec);
    }

    UserTokenHandler userToken(MainClientExec exec) throws Throwable {
        return (UserTokenHandler) Members.USER_TOKEN.invokeExact(exec);
    }

    HttpRequestExecutor executor(MinimalClientExec exec) throws Throwable {
        return (HttpRequestExecutor) Members.MINIMAL_EXECUTOR.invokeExact(exec);
    }

    HttpClientConnectionManager connections(MinimalClientExec exec) throws Throwable {
        return (HttpClientConnectionManager) Members.MINIMAL_CONNECTIONS.invokeExact(exec);
    }

    ConnectionReuseStrategy reuse(MinimalClientExec exec) throws Throwable {
        return (ConnectionReuseStrategy) Members.MINIMAL_REUSE.invokeExact(exec);
    }

    ConnectionKeepAliveStrategy keepAlive(MinimalClientExec exec) throws Throwable {
        return (ConnectionKeepAliveStrategy) Members.MINIMAL_KEEP_ALIVE.invokeExact(exec);
    }

    /** Constants, of each library's loader its own: with them the JIT compiles what a member leads to into the caller. */
    private static final class Members {
        static final MethodHandle EXECUTOR;
        static final MethodHandle CONNECTIONS;
        static final MethodHandle REUSE;
        static final MethodHandle KEEP_ALIVE;
        static final MethodHandle TARGET_AUTHENTICATION;
        static final MethodHandle PROXY_AUTHENTICATION;
        static final MethodHandle USER_TOKEN;
        static final MethodHandle MINIMAL_EXECUTOR;
        static final MethodHandle MINIMAL_CONNECTIONS;
        static final MethodHandle MINIMAL_REUSE;
        static final MethodHandle MINIMAL_KEEP_ALIVE;

        static {
            AdapterContext context = Internals.context;
            try {
                MethodHandles.Lookup lookup = context.lookup(MainClientExec.class.getName());
                EXECUTOR = lookup.findGetter(MainClientExec.class, "requestExecutor", HttpRequestExecutor.class);
                CONNECTIONS = lookup.findGetter(MainClientExec.class, "connManager", HttpClientConnectionManager.class);
                REUSE = lookup.findGetter(MainClientExec.class, "reuseStrategy", ConnectionReuseStrategy.class);
                KEEP_ALIVE = lookup.findGetter(MainClientExec.class, "keepAliveStrategy", ConnectionKeepAliveStrategy.class);
                TARGET_AUTHENTICATION = lookup.findGetter(MainClientExec.class, "targetAuthStrategy", AuthenticationStrategy.class);
                PROXY_AUTHENTICATION = lookup.findGetter(MainClientExec.class, "proxyAuthStrategy", AuthenticationStrategy.class);
                USER_TOKEN = lookup.findGetter(MainClientExec.class, "userTokenHandler", UserTokenHandler.class);
                MethodHandles.Lookup minimal = context.lookup(MinimalClientExec.class.getName());
                MINIMAL_EXECUTOR = minimal.findGetter(MinimalClientExec.class, "requestExecutor", HttpRequestExecutor.class);
                MINIMAL_CONNECTIONS = minimal.findGetter(MinimalClientExec.class, "connManager", HttpClientConnectionManager.class);
                MINIMAL_REUSE = minimal.findGetter(MinimalClientExec.class, "reuseStrategy", ConnectionReuseStrategy.class);
                MINIMAL_KEEP_ALIVE = minimal.findGetter(MinimalClientExec.class, "keepAliveStrategy", ConnectionKeepAliveStrategy.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }
}
