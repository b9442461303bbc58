package io.weft.instrumentation.grpc;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;

/** What the library's decorators have inside. For what is made once for a channel or a connection. */
final class Wrapped {
    private Wrapped() {}

    /** @return the only other object of that type that it holds; null: it is no decorator */
    static Object by(Object decorator, Class<?> type) throws IllegalAccessException {
        for (Class<?> declaring = decorator.getClass(); declaring != null; declaring = declaring.getSuperclass()) {
            for (Field field : declaring.getDeclaredFields()) {
                if (field.getType() == type && !Modifier.isStatic(field.getModifiers())) {
                    return value(field, decorator);
                }
            }
        }
        return null;
    }

    static Object value(Field field, Object of) throws IllegalAccessException {
        field.setAccessible(true);
        return field.get(of);
    }

    static Object value(Object of, String field) throws ReflectiveOperationException {
        return value(of.getClass().getDeclaredField(field), of);
    }
}
