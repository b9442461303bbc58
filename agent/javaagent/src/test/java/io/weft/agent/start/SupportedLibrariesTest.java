package io.weft.agent.start;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.instrumentation.InstrumentationModule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The list of modules in {@code docs/libraries.md}, as they declare themselves. Written anew with {@code -Dweft.it.write-docs=true}. */
class SupportedLibrariesTest {
    private static final Path PAGE = Path.of("..", "..", "docs", "libraries.md");
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

    private static String list() {
        StringBuilder list = new StringBuilder("\n| module | versions |\n|---|---|\n");
        for (InstrumentationModule module : Modules.all()) {
            list.append("| `").append(module.name()).append("` | ").append(module.versions()).append(" |\n");
        }
        return list.append('\n').toString();
    }
}
