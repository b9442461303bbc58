package io.weft.agent.settings;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** {@code docs/settings.md} has every setting, as it is read. Written anew with {@code -Dweft.it.write-docs=true}. */
class SettingsPageTest {
    private static final Path PAGE = Path.of("..", "..", "docs", "settings.md");
    private static final String HEAD = """
            # Settings of the agent

            <!-- written by SettingsPageTest -->

            The same list is printed by `java -jar weft-agent.jar --help`. Where one is set twice, the first of these has it: system property
            (`-Dweft.mesh=shop`), environment variable (`WEFT_MESH=shop`), agent argument (`-javaagent:weft-agent.jar=mesh=shop,zone=east`), properties
            file (`weft.config-file`, names with or without `weft.`). An invalid value is named on stderr with where it came from, and the app starts
            without the mesh, unless `weft.required=true`. A name that is no setting is told with the one that comes nearest.
            """;

    @Test
    void thePageIsUpToDate() throws IOException {
        String page = page();
        if (Boolean.getBoolean("weft.it.write-docs")) {
            Files.writeString(PAGE, page);
            return;
        }
        assertThat(Files.readString(PAGE)).as("docs/settings.md; write it with -Dweft.it.write-docs=true").isEqualTo(page);
    }

    private static String page() {
        StringBuilder page = new StringBuilder(HEAD);
        for (Setting setting : Setting.values()) {
            page.append("\n## `").append(setting.property()).append("`\n\n")
                    .append(setting.meaning()).append("\n\n")
                    .append("- environment: `").append(setting.variable()).append("`\n")
                    .append("- value: ").append(setting.form()).append("\n")
                    .append("- default: ").append(setting.byDefault()).append('\n');
        }
        return page.toString();
    }
}
