package io.weft.controlplane.injector;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;

/** Reads config maps of any namespace, to see what a pod gets by {@code envFrom}. Thread-safe; may block for some seconds. */
interface ConfigMaps {

    /**
     * Empty: there is none of that name.
     *
     * @throws IOException it cannot be read; the message says why
     */
    Optional<Map<String, String>> data(String namespace, String name) throws IOException;
}
