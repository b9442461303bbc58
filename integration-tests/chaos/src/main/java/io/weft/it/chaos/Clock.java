package io.weft.it.chaos;

import io.weft.it.harness.JvmCommand;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import org.junit.jupiter.api.Assumptions;

/**
 * The wall clock of processes, apart from everybody else's: a library that is loaded before the C library, built here, adds to it what a
 * file says.
 */
record Clock(Path library, Path offset) {

    /** Skips the test where nothing can be built. */
    static Clock in(Path folder) throws IOException, InterruptedException {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/bin/gcc")), "there is no gcc");
        Path source = folder.resolve("clock.c");
        try (InputStream in = Clock.class.getResourceAsStream("clock.c")) {
            Files.copy(in, source);
        }
        Clock clock = new Clock(folder.resolve("clock.so"), folder.resolve("offset"));
        Linux.run("gcc", "-shared", "-fPIC", "-O1", "-o", clock.library.toString(), source.toString(), "-ldl");
        clock.set(Duration.ZERO);
        return clock;
    }

    JvmCommand of(JvmCommand jvm) {
        return jvm.environment("LD_PRELOAD", library.toString()).environment("CLOCK_OFFSET", offset.toString());
    }

    /** Seen by all these processes at once. */
    void set(Duration fromTheTrueTime) throws IOException {
        ByteBuffer seconds = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder()).putLong(0, fromTheTrueTime.toSeconds());
        Files.write(offset, seconds.array(), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    }
}
