package io.weft.policy;

import java.util.Optional;

/**
 * Whether what runs on this node can be called.
 *
 * @param problem why not, for people; empty: it can
 */
public record Health(Optional<String> problem) {
    public static final Health GOOD = new Health(Optional.empty());

    public static Health bad(String problem) {
        return new Health(Optional.of(problem));
    }
}
