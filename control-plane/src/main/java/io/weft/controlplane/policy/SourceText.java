package io.weft.controlplane.policy;

import java.util.Optional;

/**
 * One text of a source: a file of a folder, or an object of a cluster.
 *
 * @param name of the file in the folder, or of the object
 * @param text empty if it could not be read; then {@code failure} says why
 */
public record SourceText(String name, Optional<String> text, Optional<Problem> failure) {

    /** @param message what is wrong and what to do about it */
    static SourceText failed(String name, String message) {
        return new SourceText(name, Optional.empty(), Optional.of(new Problem(name, 0, "", message)));
    }

    /** The same by another name. */
    public SourceText named(String other) {
        return new SourceText(other, text, failure.map(problem -> new Problem(other, problem.line(), problem.field(), problem.message())));
    }
}
