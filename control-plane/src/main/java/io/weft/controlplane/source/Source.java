package io.weft.controlplane.source;

import io.weft.controlplane.policy.PolicySet;
import java.io.IOException;
import java.util.function.Consumer;

/** Where the resources of all meshes come from; how they are read is up to the parsers, whatever the source. */
public interface Source extends AutoCloseable {

    /**
     * Hands what there is to the listener before it returns, on the caller's thread, and from then on each change, one at a time.
     * What cannot be read later leaves in force what is.
     *
     * @throws IOException there is nothing to begin with
     */
    void start(Consumer<PolicySet> listener) throws IOException;

    /** After it the listener hears nothing more. */
    @Override
    void close() throws IOException;
}
