package io.weft.instrumentation.okhttp;

import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Field;
import java.lang.reflect.Method;

/**
 * Members of a class that is internal to the library, as handles that take and give objects. What is internal to a Kotlin module has
 * the module's name behind its own, after a dollar sign.
 */
final class Members {
    private final MethodHandles.Lookup lookup;
    private final Class<?> type;

    Members(AdapterContext context, String className) throws ReflectiveOperationException {
        lookup = context.lookup(className);
        type = lookup.lookupClass();
    }

    /** In the library itself: the loader's parent may have another version, whose classes are to be had where this one has none. */
    static boolean isPresent(AdapterContext context, String className) {
        try {
            return Class.forName(className, false, context.library()).getClassLoader() == context.library();
        } catch (ClassNotFoundException e) {
            return false;
        }
    }

    boolean has(String field) {
        for (Field declared : type.getDeclaredFields()) {
            if (declared.getName().equals(field)) {
                return true;
            }
        }
        return false;
    }

    /** The only one of that name. */
    MethodHandle method(String name) throws ReflectiveOperationException {
        for (Method method : type.getDeclaredMethods()) {
            if ((method.getName().equals(name) || method.getName().startsWith(name + "$")) && !method.isBridge()
                    && !method.getName().endsWith("$default")) {
                return generic(lookup.unreflect(method));
            }
        }
        throw new NoSuchMethodException(type.getName() + "." + name);
    }

    MethodHandle getter(String field) throws ReflectiveOperationException {
        return generic(lookup.unreflectGetter(type.getDeclaredField(field)));
    }

    /** Also of a final field. */
    MethodHandle setter(String field) throws ReflectiveOperationException {
        Field declared = type.getDeclaredField(field);
        declared.setAccessible(true);
        return generic(lookup.unreflectSetter(declared));
    }

    MethodHandle constructor() throws ReflectiveOperationException {
        return generic(lookup.unreflectConstructor(type.getDeclaredConstructors()[0]));
    }

    private static MethodHandle generic(MethodHandle handle) {
        return handle.asType(handle.type().generic());
    }
}
