package io.weft.it.versions;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** The table of versions, {@code integration-tests/bin/versions.txt}, in its order. */
record Candidates(List<Candidate> all) {
    Candidates {
        all = List.copyOf(all);
    }

    static Candidates in(Path table) throws IOException {
        List<Candidate> all = new ArrayList<>();
        for (String line : Files.readAllLines(table)) {
            String[] halves = line.split("\\|", 2);
            List<String> words = List.of(halves[0].strip().split("\\s+"));
            if (words.size() == 1 || line.startsWith("#")) {
                continue;
            }
            if (words.size() < 4) {
                throw new IllegalArgumentException(table + ": a line has a suite, what it is judged as, artifacts and versions: " + line);
            }
            String skipped = halves.length == 1 ? "" : halves[1].strip();
            for (String version : words.subList(3, words.size())) {
                all.add(new Candidate(Suite.titled(words.get(0)), words.get(1), List.of(words.get(2).split(",")), version, skipped));
            }
        }
        return new Candidates(all);
    }

    /**
     * @param wanted suites, beginnings of what versions are judged as, or {@code OK_HTTP_4=4.8.1,4.7.2} for versions that are not in the table; none: all
     * @throws IllegalArgumentException there is nothing like it
     */
    List<Candidate> matching(List<String> wanted) {
        if (wanted.isEmpty()) {
            return all;
        }
        Set<Candidate> chosen = new LinkedHashSet<>();
        for (String filter : wanted) {
            List<Candidate> matching = matching(filter);
            if (matching.isEmpty()) {
                throw new IllegalArgumentException("nothing in the table is " + filter + "; --list says what there is");
            }
            chosen.addAll(matching);
        }
        return List.copyOf(chosen);
    }

    private List<Candidate> matching(String filter) {
        int equals = filter.indexOf('=');
        if (equals < 0) {
            return all.stream().filter(candidate -> candidate.suite().title.equals(filter) || candidate.as().startsWith(filter)).toList();
        }
        String as = filter.substring(0, equals);
        List<Candidate> rows = new ArrayList<>();
        for (Candidate candidate : all) {
            if (candidate.as().equals(as) && rows.stream().noneMatch(row -> row.suite() == candidate.suite())) {
                rows.add(candidate);
            }
        }
        return rows.stream().flatMap(row -> Stream.of(filter.substring(equals + 1).split(",")).map(row::in)).toList();
    }
}
