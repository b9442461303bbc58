package io.weft.instrumentation;

import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/** What is known of objects of a library's, each for as long as it is there. By identity; thread-safe, and without a lock to look up. */
public final class Attached<V> {
    private final ConcurrentMap<Object, V> values = new ConcurrentHashMap<>();
    private final ReferenceQueue<Object> gone = new ReferenceQueue<>();

    /** @param value must not refer to the object, which would then stay for ever */
    public void put(Object object, V value) {
        for (Object key = gone.poll(); key != null; key = gone.poll()) {
            values.remove(key);
        }
        values.put(new Key(object, gone), value);
    }

    /** Null: nothing. */
    public V of(Object object) {
        return values.isEmpty() ? null : values.get(new Lookup(object));
    }

    /** @return what was known of it until now; null: nothing */
    public V remove(Object object) {
        return values.isEmpty() ? null : values.remove(new Lookup(object));
    }

    private static final class Key extends WeakReference<Object> {
        private final int hash;

        Key(Object object, ReferenceQueue<Object> gone) {
            super(object, gone);
            hash = System.identityHashCode(object);
        }

        @Override
        public int hashCode() {
            return hash;
        }

        @Override
        public boolean equals(Object other) {
            return this == other || other instanceof Key key && get() != null && key.refersTo(get());
        }
    }

    /** Equal to the key of the same object. */
    private record Lookup(Object object) {
        @Override
        public int hashCode() {
            return System.identityHashCode(object);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Key key && key.refersTo(object);
        }
    }
}
