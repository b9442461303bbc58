package io.weft.controlplane.source;

import io.weft.controlplane.identity.Admission;
import io.weft.controlplane.identity.Authorities;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.registry.StateFile;
import io.weft.controlplane.token.Authenticator;
import java.io.IOException;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/** What a control plane stands on: a folder of one machine, or a cluster. */
public interface Platform extends AutoCloseable {

    Source source();

    /** How the source's documents are read, and such as might be among them. */
    ResourceParser parser();

    Authenticator authenticator();

    /** Which of several control planes of the same meshes this is; empty: it is the only one. */
    Optional<String> replica();

    /**
     * @param demanded whether a mesh's data planes have to prove who they are, where that is left to choose
     * @param ofAll whether those of every mesh have to
     */
    Admission admission(Predicate<String> demanded, BooleanSupplier ofAll);

    /** Whether a token proves its bearer to be an operator. */
    boolean isOperator(String token);

    Authorities authorities();

    /** Whether what proves something has changed since it was asked last. */
    boolean proofsChanged();

    /** Where registrations are kept for a restart; empty: nothing hangs on them. */
    Optional<StateFile> registrations();

    /** The source is closed before. */
    @Override
    void close() throws IOException;
}
