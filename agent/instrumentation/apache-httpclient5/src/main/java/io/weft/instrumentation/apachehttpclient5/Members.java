package io.weft.instrumentation.apachehttpclient5;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/** Public members that some versions of the library have. */
final class Members {
    private Members() {}

    /** Null: not in the app's version. */
    static MethodHandle whenPresent(Class<?> owner, String name, MethodType type) throws IllegalAccessException {
        try {
            return MethodHandles.publicLookup().findVirtual(owner, name, type);
        } catch (NoSuchMethodException e) {
            return null;
        }
    }
}
