package io.weft.instrumentation.jettyclientbefore12;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/**
 * Bodies from 10 on. The library tells a body that its exchange has failed, and a stream is closed then. An attempt's failure is not the
 * app's: there may be another one. Thread-safe.
 */
final class AttemptBodies {
    private final Class<?> type;
    private final MethodHandle none;
    private final MethodHandle fail;

    /** @param ofBytes what the library takes for the body of a request that has none */
    AttemptBodies(Class<?> type, Class<?> ofBytes) throws ReflectiveOperationException {
        this.type = type;
        MethodHandles.Lookup everybody = MethodHandles.publicLookup();
        none = everybody.findConstructor(ofBytes, MethodType.methodType(void.class, byte[][].class))
                .asFixedArity()
                .asType(MethodType.methodType(Object.class, byte[][].class));
        fail = everybody.findVirtual(type, "fail", MethodType.methodType(void.class, Throwable.class))
                .asType(MethodType.methodType(void.class, Object.class, Throwable.class));
    }

    Object none() throws Throwable {
        return (Object) none.invokeExact(new byte[0][]);
    }

    /** That body, for one attempt. */
    Object ofAttempt(Object body) {
        if (OutgoingRequest.isRepeatable(body)) {
            // The library's own of that kind keep nothing that could fail.
            return body;
        }
        return Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
            if (method.getName().equals("fail")) {
                return null;
            }
            try {
                return method.invoke(body, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        });
    }

    void fail(Object body, Throwable failure) {
        try {
            fail.invokeExact(body, failure);
        } catch (RuntimeException | Error appsOwn) {
            throw appsOwn;
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }
}
