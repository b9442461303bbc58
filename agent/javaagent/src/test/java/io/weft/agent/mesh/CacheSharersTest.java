package io.weft.agent.mesh;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.agent.settings.SettingsReader;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Processes with other settings, by which a policy may tell them apart, do not share what is kept on disk. */
class CacheSharersTest {

    private static String sharers(String argument) {
        return Mesh.sharers(((SettingsReader.Valid) SettingsReader.read(new Properties(), Map.of(), argument, Set.of())).settings());
    }

    @Test
    void whatIsNotTheSameIsAnotherText() {
        List<String> all = Stream.of(
                        "", "zone=a", "tags=zone=a", "tags=a=b c=d", "tags=a=b,c=d", "tags=a=b", "ports=1", "ports=1,2", "tags=ports=1",
                        "tags=a=;1", "tags=a=b;c=d")
                .map(CacheSharersTest::sharers).toList();
        assertThat(all).doesNotHaveDuplicates();
        assertThat(sharers("tags=a=b,c=d,ports=2,1")).isEqualTo(sharers("tags=c=d,a=b,ports=1,2"));
    }
}
