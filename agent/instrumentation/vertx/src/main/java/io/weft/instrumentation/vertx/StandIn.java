package io.weft.instrumentation.vertx;

import io.vertx.core.Future;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.net.SocketAddress;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;

/**
 * What the library and the app take for the connection of a request. Once there is one it is that, but that it shows nothing of mesh TLS.
 * Thread-safe.
 */
final class StandIn implements InvocationHandler {
    private static final AtomicReferenceFieldUpdater<StandIn, Object> CONNECTION =
            AtomicReferenceFieldUpdater.newUpdater(StandIn.class, Object.class, "connection");

    private final Target target;
    private final Object authority;
    private volatile Object connection;

    /** @param authority as the library tells the target's */
    StandIn(Target target, Object authority) {
        this.target = target;
        this.authority = authority;
    }

    /** @param real from now on */
    void is(Object real) {
        CONNECTION.lazySet(this, real);
    }

    @Override
    public Object invoke(Object self, Method method, Object[] args) throws Throwable {
        switch (method.getName()) {
            case "isSsl":
                return false;
            case "authority":
                return authority;
            case "newHttpRequestHeaders":
                return HttpHeaders.headers();
            case "equals":
                return self == args[0];
            case "hashCode":
                return System.identityHashCode(self);
            default:
                break;
        }
        Object real = connection;
        if (real != null) {
            try {
                Object result = method.invoke(real, args);
                return result == real ? self : result;
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }
        if (method.getName().equals("remoteAddress")) {
            return SocketAddress.inetSocketAddress(target.port(), target.host());
        }
        if (method.getName().equals("toString")) {
            return "connection to " + target.host() + ":" + target.port();
        }
        if (method.isDefault()) {
            return InvocationHandler.invokeDefault(self, method, args);
        }
        return method.getReturnType().isInstance(self) ? self : nothing(method.getReturnType());
    }

    /** What a method returns where there is nothing to tell. */
    static Object nothing(Class<?> type) {
        if (type == boolean.class) {
            return false;
        }
        if (type == Future.class) {
            return Future.succeededFuture();
        }
        if (type == int.class) {
            return 0;
        }
        return type == long.class ? (Object) 0L : null;
    }
}
