package io.weft.it.versions;

import java.util.List;

/**
 * A version of a library that is to be judged.
 *
 * @param as what it is taken for by the suite, as in {@code OK_HTTP_4}: the driver, the JDKs and what the library is known to do otherwise
 * @param artifacts as in {@code com.squareup.okhttp3:okhttp}; all in that version; the first is the library
 * @param skipped why it is not judged; empty: it is
 */
record Candidate(Suite suite, String as, List<String> artifacts, String version, String skipped) {
    Candidate {
        artifacts = List.copyOf(artifacts);
    }

    Candidate in(String otherVersion) {
        return new Candidate(suite, as, artifacts, otherVersion, "");
    }

    /** As in {@code com.squareup.okhttp3:okhttp}. */
    String library() {
        return artifacts.get(0);
    }

    /** Of a folder. */
    String name() {
        return String.join("-", suite.title, as, library().substring(library().indexOf(':') + 1), version);
    }

    @Override
    public String toString() {
        return suite.title + " " + as + ", " + library() + ":" + version;
    }
}
