package io.weft.instrumentation.helidon;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;

/** Members of classes that the adapter knows by their names alone, and calls objects. */
final class Handles {
    private Handles() {}

    static MethodHandle getter(Lookup of, String field, Class<?> type) throws ReflectiveOperationException {
        return of.findGetter(of.lookupClass(), field, type).asType(MethodType.methodType(type, Object.class));
    }

    /** Of a field whose type, too, is known by its name alone. */
    static MethodHandle getter(Lookup of, String field, Lookup type) throws ReflectiveOperationException {
        return getter(of, field, type.lookupClass()).asType(MethodType.methodType(Object.class, Object.class));
    }

    static MethodHandle setter(Lookup of, String field, Class<?> type) throws ReflectiveOperationException {
        return of.findSetter(of.lookupClass(), field, type).asType(MethodType.methodType(void.class, Object.class, type));
    }

    static MethodHandle method(Lookup of, String name, Class<?> result, Class<?>... parameters) throws ReflectiveOperationException {
        MethodHandle method = of.findVirtual(of.lookupClass(), name, MethodType.methodType(result, parameters));
        return method.asType(method.type().changeParameterType(0, Object.class));
    }
}
