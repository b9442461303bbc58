package io.weft.controlplane.policy;

import java.util.ArrayList;
import java.util.List;

/** Collects what is wrong with one document. Not thread-safe. */
final class Problems {

    /** What happens to a field that nobody asked for. */
    enum UnknownFields {
        /** A file: most likely a slip of the pen, which must not pass as "no such setting". */
        REFUSED,
        /** A resource sent by a data plane, which may be newer than this control plane. */
        IGNORED
    }

    private final String file;
    private final UnknownFields unknownFields;
    private final List<Problem> found = new ArrayList<>();

    Problems(String file, UnknownFields unknownFields) {
        this.file = file;
        this.unknownFields = unknownFields;
    }

    void add(int line, String field, String message) {
        found.add(new Problem(file, line, field, message));
    }

    void unknown(int line, String field, String message) {
        if (unknownFields == UnknownFields.REFUSED) {
            add(line, field, message);
        }
    }

    boolean isEmpty() {
        return found.isEmpty();
    }

    List<Problem> all() {
        return List.copyOf(found);
    }
}
