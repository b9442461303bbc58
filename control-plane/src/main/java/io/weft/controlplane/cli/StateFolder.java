package io.weft.controlplane.cli;

import java.nio.file.Path;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** Which control plane's keys: named by its state folder or by its policy folder. */
final class StateFolder {

    @ArgGroup(exclusive = true, multiplicity = "1")
    private Choice choice;

    static final class Choice {
        @Option(names = "--policies", paramLabel = "DIR", description = "The control plane's policy folder; its keys are in .weft there.")
        private Path policies;

        @Option(names = "--state-dir", paramLabel = "DIR", description = "The control plane's state folder, if it was given one.")
        private Path state;
    }

    Path path() {
        return choice.state == null ? choice.policies.resolve(".weft") : choice.state;
    }
}
