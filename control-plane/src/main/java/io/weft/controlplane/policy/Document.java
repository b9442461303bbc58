package io.weft.controlplane.policy;

import java.util.List;
import java.util.Optional;

/**
 * What became of one document of a file.
 *
 * @param line where it begins in the file
 * @param id empty if the document does not even say what it is
 * @param resource present only if there is no problem
 */
public record Document(
        String file, int line, Optional<ResourceId> id, Optional<Resource> resource, List<Problem> problems) {

    public Document {
        problems = List.copyOf(problems);
    }
}
