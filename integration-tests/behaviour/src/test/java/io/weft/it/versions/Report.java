package io.weft.it.versions;

import io.weft.it.harness.PublishedSection;
import io.weft.it.versions.PublishedVersions.Known;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** What is known, for people. */
final class Report {
    private Report() {}

    /** A line for each version. */
    static String of(List<Candidate> candidates, Verdicts verdicts, String state) {
        List<List<String>> rows = new ArrayList<>(List.of(List.of("SUITE", "AS", "LIBRARY", "VERSION", "JDK", "OUTCOME", "")));
        for (Candidate candidate : candidates) {
            Optional<Verdict> verdict = verdicts.of(candidate, state);
            rows.add(List.of(
                    candidate.suite().title, candidate.as(), candidate.library(), candidate.version(),
                    verdict.map(Verdict::jdks).orElse(""),
                    verdict.map(last -> last.outcome().toString()).orElse(candidate.skipped().isEmpty() ? "not judged yet" : "to be skipped"),
                    verdict.map(Report::detail).orElse(candidate.skipped())));
        }
        int[] widths = IntStream.range(0, rows.get(0).size()).map(column -> rows.stream().mapToInt(row -> row.get(column).length()).max().orElse(0)).toArray();
        return rows.stream()
                .map(row -> IntStream.range(0, row.size()).mapToObj(column -> pad(row.get(column), widths[column])).collect(Collectors.joining("  ")).stripTrailing() + "\n")
                .collect(Collectors.joining());
    }

    private static String pad(String cell, int width) {
        return cell + " ".repeat(width - cell.length());
    }

    private static String detail(Verdict verdict) {
        return verdict.note() + (verdict.outcome() == Verdict.Outcome.FAILED ? "; " + verdict.log() : "");
    }

    /** Empty: it passed. */
    private static String cell(Verdict verdict) {
        if (verdict.outcome() == Verdict.Outcome.PASSED) {
            return "";
        }
        // Of a test that failed its name: what it found is for those who have the log.
        String note = verdict.note().split(": ", 2)[0];
        return verdict.outcome().toString().toLowerCase(Locale.ROOT) + ", " + note.replace("|", "\\|");
    }

    /** Into the docs. */
    static void publish(List<Candidate> candidates, Verdicts verdicts) {
        PublishedSection section = new PublishedSection("versions");
        section.write(table(candidates, verdicts, new PublishedVersions(section.content())));
    }

    /** A line for each library, whatever state of Weft its versions were judged for last; of those that were not judged here what is published stays. */
    static String table(List<Candidate> candidates, Verdicts verdicts, PublishedVersions published) {
        Map<String, List<Candidate>> libraries = new LinkedHashMap<>();
        for (Candidate candidate : candidates) {
            libraries.computeIfAbsent(row(candidate), row -> new ArrayList<>()).add(candidate);
        }
        StringBuilder table = new StringBuilder("\n| suite | library | taken for | passed | else | last |\n|---|---|---|---|---|---|\n");
        libraries.forEach((library, versions) -> {
            List<String> passed = new ArrayList<>();
            List<String> others = new ArrayList<>();
            String last = "";
            for (Candidate candidate : versions) {
                Optional<Known> known = verdicts.of(candidate).map(verdict -> new Known(cell(verdict), verdict.day())).or(() -> published.of(candidate));
                if (known.isPresent() && known.get().words().isEmpty()) {
                    passed.add(candidate.version());
                } else {
                    String words = candidate.skipped().isEmpty() ? known.map(Known::words).orElse(PublishedVersions.NOT_YET) : candidate.skipped();
                    others.add(candidate.version() + ": " + words);
                }
                String day = known.map(Known::day).orElse("");
                last = day.compareTo(last) > 0 ? day : last;
            }
            table.append("| %s | %s | %s | %s |\n".formatted(library, String.join(", ", passed), String.join("; ", others), last));
        });
        return table.append('\n').toString();
    }

    /** The first cells of its row. */
    static String row(Candidate candidate) {
        return "%s | `%s` | `%s`".formatted(candidate.suite().title, candidate.library(), candidate.as());
    }
}
