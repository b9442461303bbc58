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
import org.apache.http.protocol.HttpRequestExecutor;

/** What the end of an execution chain was built of: private fields, the same ones from 4.3 to 4.5. */
final class Internals {
    private final MethodHandle executor;
    private final MethodHandle connections;
    private final MethodHandle reuse;
    private final MethodHandle keepAlive;
    private final MethodHandle targetAuthentication;
    private final MethodHandle proxyAuthentication;
    private final MethodHandle userToken;

    Internals(AdapterContext context) throws ReflectiveOperationException {
        MethodHandles.Lookup lookup = context.lookup(MainClientExec.class.getName());
        executor = lookup.findGetter(MainClientExec.class, "requestExecutor", HttpRequestExecutor.class);
        connections = lookup.findGetter(MainClientExec.class, "connManager", HttpClientConnectionManager.class);
        reuse = lookup.findGetter(MainClientExec.class, "reuseStrategy", ConnectionReuseStrategy.class);
        keepAlive = lookup.findGetter(MainClientExec.class, "keepAliveStrategy", ConnectionKeepAliveStrategy.class);
        targetAuthentication = lookup.findGetter(MainClientExec.class, "targetAuthStrategy", AuthenticationStrategy.class);
        proxyAuthentication = lookup.findGetter(MainClientExec.class, "proxyAuthStrategy", AuthenticationStrategy.class);
        userToken = lookup.findGetter(MainClientExec.class, "userTokenHandler", UserTokenHandler.class);
    }

    HttpRequestExecutor executor(MainClientExec exec) throws Throwable {
        return (HttpRequestExecutor) executor.invokeExact(exec);
    }

    HttpClientConnectionManager connections(MainClientExec exec) throws Throwable {
        return (HttpClientConnectionManager) connections.invokeExact(exec);
    }

    ConnectionReuseStrategy reuse(MainClientExec exec) throws Throwable {
        return (ConnectionReuseStrategy) reuse.invokeExact(exec);
    }

    ConnectionKeepAliveStrategy keepAlive(MainClientExec exec) throws Throwable {
        return (ConnectionKeepAliveStrategy) keepAlive.invokeExact(exec);
    }

    AuthenticationStrategy targetAuthentication(MainClientExec exec) throws Throwable {
        return (AuthenticationStrategy) targetAuthentication.invokeExact(exec);
    }

    AuthenticationStrategy proxyAuthentication(MainClientExec exec) throws Throwable {
        return (AuthenticationStrategy) proxyAuthentication.invokeExact(exec);
    }

    UserTokenHandler userToken(MainClientExec exec) throws Throwable {
        return (UserTokenHandler) userToken.invokeExact(exec);
    }
}
