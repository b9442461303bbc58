package io.weft.instrumentation.apachehttpclient5;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Path;
import org.apache.hc.client5.http.HttpRoute;

/** Public members that some versions of the library have. */
final class Members {
    /** Null before 5.6. */
    private static final MethodHandle UNIX_DOMAIN_SOCKET = whenPresent(HttpRoute.class, "getUnixDomainSocket", MethodType.methodType(Path.class));

    private Members() {}

    /** Null: not in the app's version. Where it is a constant, the JIT compiles what it leads to into the caller. */
    static MethodHandle whenPresent(Class<?> owner, String name, MethodType type) {
        try {
            return MethodHandles.publicLookup().findVirtual(owner, name, type);
        } catch (NoSuchMethodException e) {
            return null;
        } catch (IllegalAccessException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    static boolean isToUnixDomainSocket(HttpRoute route) throws Throwable {
        return UNIX_DOMAIN_SOCKET != null && (Path) UNIX_DOMAIN_SOCKET.invokeExact(route) != null;
    }
}
