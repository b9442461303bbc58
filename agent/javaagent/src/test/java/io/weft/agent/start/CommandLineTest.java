package io.weft.agent.start;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.admin.SocketDirectory;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CommandLineTest {
    @Test
    void whoIsRunInAContainerLooksWhereItsJvmHasItsSocket() {
        assertThat(CommandLine.usual(Map.of("WEFT_ADMIN_DIR", "/var/run/weft/app"))).isEqualTo(new SocketDirectory(Path.of("/var/run/weft/app")));
        assertThat(CommandLine.usual(Map.of("WEFT_ADMIN_DIR", ""))).isEqualTo(SocketDirectory.of(System.getProperty("user.name")));
        assertThat(CommandLine.usual(Map.of())).isEqualTo(SocketDirectory.of(System.getProperty("user.name")));
    }

    /** Else the number would be the method, and every JVM asked. */
    @Test
    void whoForgetsTheMethodBesideAProcessIsToldSo() {
        assertThat(new CommandLine().applyAsInt(List.of("explain", "4711", "http://orders/"))).isEqualTo(2);
    }
}
