package io.weft.controlplane.ca;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** Where the roots of one mesh are kept that are made here. */
public interface RootStore {

    /** What tells one state of it from another, without much ado; empty: there are none. */
    Optional<Object> stamp() throws IOException;

    /**
     * The roots at this moment; makes the first where there is none, and goes on with a rotation whose time has come.
     *
     * @param leafLifetime the longest that any leaf has
     * @throws IOException they cannot be used; the message says where they are
     */
    RootSet at(Instant now, Duration leafLifetime) throws IOException;

    /** Where they are, for messages. */
    @Override
    String toString();
}
