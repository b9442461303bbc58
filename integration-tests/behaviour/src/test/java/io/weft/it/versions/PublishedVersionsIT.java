package io.weft.it.versions;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.it.harness.PublishedSection;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The table of versions in {@code docs/libraries.md} on a machine that has judged none of them, or few. */
class PublishedVersionsIT {
    private static final Candidate CHECKED = new Candidate(Suite.CLIENT, "LIBRARY_1", List.of("com.example:library"), "1.0.1", "");

    @TempDir
    private Path folder;

    @Test
    void whoHasJudgedNothingWritesWhatIsThere() throws Exception {
        String there = new PublishedSection("versions").content();

        assertThat(Report.table(Candidates.in(Path.of("..", "bin", "versions.txt")).all(), verdicts(), new PublishedVersions(there))).isEqualTo(there);
    }

    @Test
    void aVerdictReplacesWhatIsThereOfItsVersionAlone() throws Exception {
        String there = table("| client | `com.example:library` | `LIBRARY_1` | 1.0.1, 1.0.3 | 1.0.2: failed, A.b; 1.0.4: not yet; 1.0.5: not for \\| this: JDK | 2026-01-01 |");
        Verdicts verdicts = verdicts();
        List<Candidate> candidates = List.of(CHECKED, CHECKED.in("1.0.2"), CHECKED.in("1.0.3"), CHECKED.in("1.0.4"), CHECKED.in("1.0.5"));

        verdicts.add(verdict("1.0.3", Verdict.Outcome.FAILED, "C.d: message"));
        verdicts.add(verdict("1.0.2", Verdict.Outcome.PASSED, "9 tests"));
        assertThat(Report.table(candidates, verdicts, new PublishedVersions(there))).isEqualTo(table(
                "| client | `com.example:library` | `LIBRARY_1` | 1.0.1, 1.0.2 | 1.0.3: failed, C.d; 1.0.4: not yet; 1.0.5: not for \\| this: JDK | 2026-02-02 |"));
    }

    private Verdicts verdicts() throws Exception {
        return new Verdicts(folder.resolve("verdicts.tsv"));
    }

    private static Verdict verdict(String version, Verdict.Outcome outcome, String note) {
        return new Verdict("state", "2026-02-02", "client", "LIBRARY_1", "com.example:library", version, "17", outcome, 1, note, "log");
    }

    private static String table(String row) {
        return "\n| suite | library | taken for | passed | else | last |\n|---|---|---|---|---|---|\n" + row + "\n\n";
    }
}
