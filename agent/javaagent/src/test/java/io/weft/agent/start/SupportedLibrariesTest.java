package io.weft.agent.start;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** What modules declare of their versions. The list of them in {@code docs/libraries.md} is written anew with {@code -Dweft.it.write-docs=true}. */
class SupportedLibrariesTest {
    private static final Path PAGE = Path.of("..", "..", "docs", "libraries.md");
    private static final Path VERSIONS = Path.of("..", "..", "integration-tests", "bin", "versions.txt");
    private static final String BEGIN = "<!-- modules: written by SupportedLibrariesTest -->\n";
    private static final String END = "<!-- modules: end -->\n";

    @Test
    void theListOfModulesIsUpToDate() throws IOException {
        String page = Files.readString(PAGE);
        int begin = page.indexOf(BEGIN) + BEGIN.length();
        int end = page.indexOf(END);
        String list = list();
        if (Boolean.getBoolean("weft.it.write-docs")) {
            Files.writeString(PAGE, page.substring(0, begin) + list + page.substring(end));
            return;
        }
        assertThat(page.substring(begin, end)).as("docs/libraries.md; write it with -Dweft.it.write-docs=true").isEqualTo(list);
    }

    /** What nobody has judged is not called tested, and what people read is what versions are compared with. */
    @Test
    void testedVersionsAreThoseThatAModuleSays() {
        assertThat(Modules.all()).allSatisfy(module -> {
            assertThat(module.releases().tested()).isNotEmpty();
            for (Releases.Range range : module.releases().tested()) {
                assertThat(module.versions()).contains(range.first());
                assertThat(module.versions()).contains(range.last().isEmpty() ? "later" : range.last());
            }
        });
    }

    @Test
    void whatIsJudgedNowAndThenIsCalledTested() throws IOException {
        Set<String> found = new TreeSet<>();
        for (String line : Files.readAllLines(VERSIONS)) {
            String[] words = line.split("\\|")[0].strip().split("\\s+");
            if (words.length < 4 || line.startsWith("#")) {
                continue;
            }
            String library = words[2].split(",")[0];
            List<Releases> releases =
                    Modules.all().stream().map(InstrumentationModule::releases).filter(one -> one.artifacts().contains(library)).toList();
            for (String version : releases.isEmpty() ? List.<String>of() : List.of(words).subList(3, words.length)) {
                found.add(library);
                assertThat(releases).as(library + " " + version).anyMatch(one -> one.areTestedIn(version));
            }
        }
        assertThat(found).contains("com.squareup.okhttp3:okhttp", "org.apache.tomcat.embed:tomcat-embed-core", "io.vertx:vertx-core").hasSizeGreaterThan(10);
    }

    private static String list() {
        StringBuilder list = new StringBuilder("\n| module | versions |\n|---|---|\n");
        for (InstrumentationModule module : Modules.all()) {
            list.append("| `").append(module.name()).append("` | ").append(module.versions()).append(" |\n");
        }
        return list.append('\n').toString();
    }
}
