package io.weft.it.versions;

import java.util.List;

/**
 * What has come of a version.
 *
 * @param state of Weft, a commit
 * @param day as in 2026-11-28
 * @param jdks as in {@code 17, 25}
 * @param note the first test that failed with its message, the reason for a skip, or what passed only the second time
 * @param log of all that the suite said
 */
record Verdict(
        String state, String day, String suite, String as, String library, String version, String jdks, Outcome outcome, long seconds, String note, String log) {
    enum Outcome { PASSED, FAILED, SKIPPED }

    static final List<String> HEADING =
            List.of("state", "day", "suite", "as", "library", "version", "jdks", "outcome", "seconds", "note", "log");

    boolean isOf(Candidate candidate) {
        return suite.equals(candidate.suite().title) && as.equals(candidate.as()) && library.equals(candidate.library()) && version.equals(candidate.version());
    }

    /** A line with tabs. */
    String line() {
        return String.join("\t", state, day, suite, as, library, version, jdks, outcome.toString(), Long.toString(seconds), note, log);
    }

    static Verdict of(String line) {
        String[] cells = line.split("\t", -1);
        return new Verdict(
                cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6], Outcome.valueOf(cells[7]), Long.parseLong(cells[8]), cells[9], cells[10]);
    }
}
