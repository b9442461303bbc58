package io.weft.instrumentation.helidon;

import io.weft.instrumentation.AdapterContext;
import java.lang.reflect.Constructor;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What the module weaves where it is there, and has to be there for a version to be secured as a whole: a method that is not woven lets a connection or a request
 * pass by.
 */
final class Woven {
    private final AdapterContext context;

    Woven(AdapterContext context) {
        this.context = context;
    }

    void isAllThere() throws ReflectiveOperationException {
        has("io.helidon.common.socket.PlainSocket", "server");
        has("io.helidon.common.socket.TlsSocket", "server");
        // A version that reads from channels has both.
        if (isThere("io.helidon.common.socket.NioSocket")) {
            has("io.helidon.common.socket.NioSocket", "server");
            has("io.helidon.common.socket.TlsNioSocket", "server");
        }
        has("io.helidon.webserver.ConnectionProviders", "create");
        has("io.helidon.webserver.http.Filters", "filter");
        takes("io.helidon.webserver.http1.Http1Connection", 2, Map.class);
        takes("io.helidon.webserver.http1.Http1ServerResponse", 1, type("io.helidon.webserver.http1.Http1ConnectionListener"));
        if (isThere("io.helidon.webserver.http2.Http2Connection")) {
            takes("io.helidon.webserver.http2.Http2Connection", 2, List.class);
        }
    }

    private Class<?> type(String name) throws ReflectiveOperationException {
        return context.lookup(name).lookupClass();
    }

    private boolean isThere(String name) {
        try {
            context.lookup(name);
            return true;
        } catch (ReflectiveOperationException | LinkageError absent) {
            return false;
        }
    }

    /** One way in, or another one would not be woven. */
    private void has(String type, String method) throws ReflectiveOperationException {
        long ways = Stream.of(type(type).getDeclaredMethods()).filter(one -> one.getName().equals(method) && !one.isSynthetic()).count();
        if (ways != 1) {
            throw new NoSuchMethodException(type + '.' + method + ": there are " + ways + " of it");
        }
    }

    private void takes(String type, int index, Class<?> parameter) throws ReflectiveOperationException {
        Constructor<?>[] ways = type(type).getDeclaredConstructors();
        if (ways.length != 1 || ways[0].getParameterCount() <= index || ways[0].getParameterTypes()[index] != parameter) {
            throw new NoSuchMethodException(type + ": none, or another constructor");
        }
    }
}
