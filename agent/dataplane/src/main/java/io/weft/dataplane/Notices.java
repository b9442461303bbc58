package io.weft.dataplane;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** Told what an operator must know of policies that cannot be followed to the letter. Thread-safe; must not block or throw. */
@FunctionalInterface
public interface Notices {
    /** Said once, whatever happens how often. */
    void notice(String text);

    /** Tells somebody who may come later, and nobody before. */
    final class Relay implements Notices {
        private final Set<String> known = ConcurrentHashMap.newKeySet();
        private final List<String> said = new CopyOnWriteArrayList<>();
        private volatile Notices listener = text -> {};

        void to(Notices listener) {
            this.listener = listener;
        }

        /** Once for each key. */
        boolean isNew(String key) {
            return known.add(key);
        }

        @Override
        public void notice(String text) {
            said.add(text);
            listener.notice(text);
        }

        List<String> said() {
            return List.copyOf(said);
        }
    }
}
