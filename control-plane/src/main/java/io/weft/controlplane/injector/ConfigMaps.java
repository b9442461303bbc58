package io.weft.controlplane.injector;

import java.io.IOException;
import java.util.Optional;
import java.util.Set;

/**
 * Looks at config maps of any namespace, to see what a pod gets by {@code envFrom}; not at their values, since anybody may ask for the
 * review of a pod. Thread-safe; may block for some seconds.
 */
interface ConfigMaps {

    /**
     * Empty: there is none of that name.
     *
     * @throws IOException it cannot be read; the message says why
     */
    Optional<Set<String>> keys(String namespace, String name) throws IOException;
}
