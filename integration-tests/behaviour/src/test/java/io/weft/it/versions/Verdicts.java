package io.weft.it.versions;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** All that were ever given, in a file of lines with tabs, to which each is added at once: whoever is stopped goes on from there. Thread-safe. */
final class Verdicts {
    private final Path file;
    private final List<Verdict> all = new ArrayList<>();

    Verdicts(Path file) throws IOException {
        this.file = file;
        if (Files.exists(file)) {
            Files.readAllLines(file).stream().skip(1).map(Verdict::of).forEach(all::add);
        } else {
            Files.writeString(file, String.join("\t", Verdict.HEADING) + '\n');
        }
    }

    synchronized void add(Verdict verdict) throws IOException {
        Files.writeString(file, verdict.line() + '\n', StandardOpenOption.APPEND);
        all.add(verdict);
    }

    /** The last one. */
    synchronized Optional<Verdict> of(Candidate candidate) {
        return all.stream().filter(verdict -> verdict.isOf(candidate)).reduce((earlier, later) -> later);
    }

    /** The last one, if it is of that state of Weft. */
    Optional<Verdict> of(Candidate candidate, String state) {
        return of(candidate).filter(verdict -> verdict.state().equals(state));
    }
}
