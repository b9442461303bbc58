package io.weft.agent.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Whose socket cannot be seen from here. */
class AgentProcessesTest {

    @Test
    void aProcessWithFilesOfItsOwnIsKnown() throws Exception {
        assumeTrue(Files.isReadable(Path.of("/proc/self/ns/mnt")), "no Linux");
        assumeTrue(run("unshare", "--mount", "--map-root-user", "true"), "no namespaces may be made here");
        Process alike = new ProcessBuilder("sleep", "60").start();
        Process apart = new ProcessBuilder("unshare", "--mount", "--map-root-user", "sh", "-c", "echo here; exec sleep 60").start();
        try {
            assertThat(apart.inputReader().readLine()).isEqualTo("here");
            assertThat(AgentProcesses.hasOtherFiles(apart.pid())).isTrue();
            assertThat(AgentProcesses.hasOtherFiles(alike.pid())).isFalse();
        } finally {
            alike.destroy();
            apart.destroy();
        }
    }

    private static boolean run(String... command) throws InterruptedException {
        try {
            Process process = new ProcessBuilder(command).start();
            return process.waitFor(30, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException notThere) {
            return false;
        }
    }
}
