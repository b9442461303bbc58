package io.weft.it.versions;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the docs say of versions, for those that nobody has judged on this machine: verdicts themselves are in no repository. */
final class PublishedVersions {
    /** Of versions of which nobody knows. */
    static final String NOT_YET = "not yet";

    /**
     * @param words empty: it passed
     * @param day on which one of its row was judged last
     */
    record Known(String words, String day) {}

    private final Map<String, Known> all = new HashMap<>();

    /** @param table as {@link Report} writes it */
    PublishedVersions(String table) {
        table.lines().filter(line -> line.startsWith("| ")).forEach(this::read);
    }

    private void read(String line) {
        // Of the cells only the one before the last may have a | in it.
        String[] cells = line.substring(2, line.length() - 2).split(" \\| ", 5);
        if (cells.length < 5) {
            return;
        }
        String row = String.join(" | ", List.of(cells).subList(0, 3));
        int end = cells[4].lastIndexOf(" | ");
        String day = cells[4].substring(end + 3);
        for (String version : cells[3].split(", ")) {
            all.put(row + ' ' + version, new Known("", day));
        }
        for (String other : cells[4].substring(0, end).split("; (?=[0-9]\\S*: )")) {
            String[] words = other.split(": ", 2);
            if (words.length == 2 && !words[1].equals(NOT_YET)) {
                all.put(row + ' ' + words[0], new Known(words[1], day));
            }
        }
    }

    Optional<Known> of(Candidate candidate) {
        return Optional.ofNullable(all.get(Report.row(candidate) + ' ' + candidate.version()));
    }
}
