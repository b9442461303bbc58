package io.weft.agent.link;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LibraryJarTest {
    @ParameterizedTest
    @CsvSource({
        "jar:file:/srv/lib/okhttp-4.12.0.jar!/, okhttp-4.12.0.jar",
        "jar:nested:/srv/app.jar/!BOOT-INF/lib/okhttp-4.12.0.jar!/, okhttp-4.12.0.jar",
        "jar:file:/srv/app.jar!/BOOT-INF/lib/okhttp-4.12.0.jar!/, okhttp-4.12.0.jar",
        "file:/srv/lib/okhttp-4.12.0.jar, okhttp-4.12.0.jar",
        "vfs:/content/app.war/WEB-INF/lib/okhttp-4.12.0.jar/, okhttp-4.12.0.jar",
        "file:/srv/classes/, ''",
        "'', ''"
    })
    void isTheFileThatTheLibraryIsIn(String location, String name) {
        assertThat(LibraryJar.name(location)).isEqualTo(name);
    }
}
