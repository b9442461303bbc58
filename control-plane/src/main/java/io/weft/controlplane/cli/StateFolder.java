package io.weft.controlplane.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which control plane's keys: named by its state folder or by its policy folder. */
final class StateFolder {

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /** Looked at when it is needed: of a command with commands below it, these name it. */
    @ArgGroup(exclusive = true, multiplicity = "0..1")
    private Choice choice;

    static final class Choice {
        @Option(names = "--policies", paramLabel = "DIR", description = "The control plane's policy folder; its keys are in .weft there.")
        private Path policies;

        @Option(names = "--state-dir", paramLabel = "DIR", description = "The control plane's state folder, if it was given one.")
        private Path state;
    }

    /** Empty: the state folder is named instead, or nothing. */
    Optional<Path> policies() {
        return choice == null ? Optional.empty() : Optional.ofNullable(choice.policies);
    }

    /** @throws IOException there is no such policy folder: keys that are made in a wrong place are worth nothing */
    Path path() throws IOException {
        if (choice == null) {
            throw new ParameterException(command.commandLine(), "name the control plane's folder: --policies=DIR or --state-dir=DIR");
        }
        if (choice.state != null) {
            return choice.state;
        }
        if (!Files.isDirectory(choice.policies)) {
            throw new IOException("--policies " + choice.policies + " is not a folder; name the one of the control plane");
        }
        return choice.policies.resolve(".weft");
    }
}
