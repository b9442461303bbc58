package io.weft.policy.protobuf;

import java.lang.reflect.Field;
import java.lang.reflect.InaccessibleObjectException;
import java.util.Arrays;

/**
 * The part of {@code sun.misc.Unsafe} by which the protobuf lite runtime (4.36) reads and writes the fields of its messages,
 * over reflection. An offset is an index into a table of fields.
 *
 * <p>The operations on arrays and memory are missing on purpose, all but {@link #arrayBaseOffset}, which the runtime links
 * against: it looks for them by name and does without.
 *
 * <p>Thread-safe.
 */
public final class FieldUnsafe {
    // The runtime looks among the static fields for one of the class's own type.
    @SuppressWarnings("UnusedVariable")
    private static final FieldUnsafe THE = new FieldUnsafe();

    /** The offset of a field that the runtime may ask about but never uses here. */
    private static final long NONE = -1;

    private volatile Field[] fields = {};
    private int size;

    private FieldUnsafe() {}

    public synchronized long objectFieldOffset(Field field) {
        try {
            field.setAccessible(true);
        } catch (InaccessibleObjectException e) {
            return NONE;
        }
        Field[] table = fields;
        if (size == table.length) {
            table = Arrays.copyOf(table, Math.max(256, size * 2));
        }
        table[size] = field;
        // The volatile write publishes the new element, too.
        fields = table;
        return size++;
    }

    public int arrayBaseOffset(Class<?> array) {
        return 0;
    }

    public Object allocateInstance(Class<?> type) throws InstantiationException {
        try {
            var constructor = type.getDeclaredConstructor();
            constructor.setAccessible(true);
            return constructor.newInstance();
        } catch (ReflectiveOperationException e) {
            throw (InstantiationException) new InstantiationException(type.getName()).initCause(e);
        }
    }

    public int getInt(Object of, long offset) {
        try {
            return fields[(int) offset].getInt(of);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    public void putInt(Object of, long offset, int value) {
        try {
            fields[(int) offset].setInt(of, value);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    public long getLong(Object of, long offset) {
        try {
            return fields[(int) offset].getLong(of);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    public void putLong(Object of, long offset, long value) {
        try {
            fields[(int) offset].setLong(of, value);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    public boolean getBoolean(Object of, long offset) {
        try {
            return fields[(int) offset].getBoolean(of);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    public void putBoolean(Object of, long offset, boolean value) {
        try {
            fields[(int) offset].setBoolean(of, value);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    public float getFloat(Object of, long offset) {
        try {
            return fields[(int) offset].getFloat(of);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    public void putFloat(Object of, long offset, float value) {
        try {
            fields[(int) offset].setFloat(of, value);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    public double getDouble(Object of, long offset) {
        try {
            return fields[(int) offset].getDouble(of);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    public void putDouble(Object of, long offset, double value) {
        try {
            fields[(int) offset].setDouble(of, value);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    public Object getObject(Object of, long offset) {
        try {
            return fields[(int) offset].get(of);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    public void putObject(Object of, long offset, Object value) {
        try {
            fields[(int) offset].set(of, value);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }
}
