package io.weft.instrumentation.springwebclient;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.List;
import org.springframework.http.HttpHeaders;

/** The values of a header, whose name is an object to Spring 5 and 6, where headers are a map, and a string to 7. Thread-safe. */
final class HeaderValues {
    private final MethodHandle getOrEmpty;

    HeaderValues() throws IllegalAccessException, NoSuchMethodException {
        MethodHandle found;
        try {
            found = find(Object.class);
        } catch (NoSuchMethodException from7) {
            found = find(String.class);
        }
        getOrEmpty = found.asType(MethodType.methodType(List.class, HttpHeaders.class, String.class));
    }

    private static MethodHandle find(Class<?> name) throws IllegalAccessException, NoSuchMethodException {
        return MethodHandles.publicLookup().findVirtual(HttpHeaders.class, "getOrEmpty", MethodType.methodType(List.class, name));
    }

    @SuppressWarnings("unchecked")
    List<String> of(HttpHeaders headers, String name) {
        try {
            return (List<String>) (List<?>) getOrEmpty.invokeExact(headers, name);
        } catch (RuntimeException | Error thrown) {
            throw thrown;
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }
}
