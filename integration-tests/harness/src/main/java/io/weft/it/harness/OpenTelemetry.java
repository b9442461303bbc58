package io.weft.it.harness;

import java.nio.file.Path;

/** Where the OpenTelemetry agent stands on a command line that has Weft's, too. */
public enum OpenTelemetry {
    FIRST, LAST;

    static Path agent() {
        return Build.libraries().resolve("agents").resolve("opentelemetry-javaagent.jar");
    }
}
